"""What autogenerate proposes, with the drops and adds that a person called renames made renames.

On the way up, whatever is dropped under an old name goes first, then come the renames, then what
is made under a new name: read backwards, as the downgrade is, every name is again there when it is
used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from . import elements, errors
from .renameops import RenameColumnOp, RenameSQLOp, RenameTableOp

_CARRIED = (ops.DropIndexOp, ops.DropConstraintOp)

_NEEDS_DEFINITION = frozenset({"mysql", "mariadb"})
"""Databases that rename a column by defining it anew."""

_RENAMES_INDEXES = {"mysql": (5, 7, 1), "mariadb": (10, 5, 2)}
"""From which version on there is ALTER TABLE ... RENAME INDEX. Sources: MySQL 5.7 Reference Manual,
ALTER TABLE; MariaDB Server documentation, ALTER TABLE, RENAME INDEX/KEY."""


def rewrite(revision: Any, renames: list[dict[str, Any]], context: Any) -> None:
    """Make renames of the drops and adds that `renames` names, in the upgrade and the downgrade.

    Args:
        revision: Alembic's revision context, after the comparison.
        renames: Dicts shaped as `renames.Rename`.
        context: The migration context of the comparison.

    Raises:
        Failure: Nothing like it is proposed.
    """
    if not renames:
        return
    for script in revision.generated_revisions:
        for up, down in zip(script.upgrade_ops_list, script.downgrade_ops_list):
            _Rewriter(up.ops, context).rewrite(renames)
            up.reverse_into(down)


class _Rewriter:
    """One list of operations on its way from drops and adds to renames."""

    def __init__(self, top: list[Any], context: Any) -> None:
        self._top = top
        self._context = context
        self._dialect = context.dialect
        self._tables: dict[tuple[Any, str], str] = {}
        self._columns: dict[tuple[Any, str, str], str] = {}
        self._first: list[Any] = []
        self._renames: list[Any] = []
        self._after: list[Any] = []

    def rewrite(self, renames: list[dict[str, Any]]) -> None:
        for rename in sorted(renames, key=lambda r: r["kind"] != "table"):
            self._table(rename) if rename["kind"] == "table" else self._column(rename)
        self._carry()
        self._unnamed()
        self._top[:] = [*self._first, *self._renames, *self._after, *self._top]

    def _lists(self) -> Iterator[list[Any]]:
        yield self._top
        for op in list(self._top):
            if isinstance(op, ops.ModifyTableOps):
                yield op.ops

    def _take(self, kind: type, rename: dict[str, Any], **wanted: Any) -> Any:
        """Take the one operation of that kind and those attributes out."""
        wanted["schema"] = rename["schema"]
        for listed in self._lists():
            for op in listed:
                if isinstance(op, kind) and all(_of(op, k) == v for k, v in wanted.items()):
                    listed.remove(op)
                    return op
        raise errors.Failure(
            "EnvScriptError",
            error=f"a rename of {rename['old']} to {rename['new']} was asked for, but no such drop "
            "and add is proposed",
            file="env.py",
            line=1,
        )

    def _column(self, rename: dict[str, Any]) -> None:
        table, old, new = rename["table"], rename["old"], rename["new"]
        before = self._take(ops.DropColumnOp, rename, table_name=table, column_name=old)
        after = self._take(ops.AddColumnOp, rename, table_name=table, column=new)
        was, now = before.to_column(), after.column
        self._columns[rename["schema"], table, old] = new
        self._renames.append(self._renamed(rename, was))
        changed = list(self._altered(rename, table, was, now))
        if changed:
            self._after.append(ops.ModifyTableOps(table, changed, schema=rename["schema"]))

    def _renamed(self, rename: dict[str, Any], was: Any) -> RenameColumnOp:
        # Where it is not needed, a stated type would have Alembic look for its CHECKs.
        stated: dict[str, Any] = {}
        if self._dialect.name in _NEEDS_DEFINITION:
            default = was.server_default
            stated = {
                "existing_type": was.type,
                "existing_nullable": was.nullable,
                "existing_server_default": False if default is None else default,
            }
        place = (rename["table"], rename["old"])
        return RenameColumnOp(*place, schema=rename["schema"], modify_name=rename["new"], **stated)

    def _altered(self, rename: dict[str, Any], table: str, was: Any, now: Any) -> Iterator[Any]:
        """What else differs between the old column and the new one."""
        modified: dict[str, Any] = {}
        if self._context.impl.compare_type(was, now):
            modified["modify_type"] = now.type
        if bool(was.nullable) != bool(now.nullable):
            modified["modify_nullable"] = now.nullable
        if self._default(was) != self._default(now):
            modified["modify_server_default"] = now.server_default
        if modified:
            default = was.server_default
            yield ops.AlterColumnOp(
                table,
                str(now.name),
                schema=rename["schema"],
                existing_type=was.type,
                existing_nullable=was.nullable,
                existing_server_default=False if default is None else default,
                **modified,
            )

    def _default(self, column: Any) -> str | None:
        text = elements.default_text(column.server_default, self._dialect)
        return None if text is None else text.partition("::")[0].strip("()' ")

    def _table(self, rename: dict[str, Any]) -> None:
        schema, old, new = rename["schema"], rename["old"], rename["new"]
        dropped = self._take(ops.DropTableOp, rename, table_name=old)
        created = self._take(ops.CreateTableOp, rename, table_name=new)
        self._tables[schema, old] = new
        self._renames.append(RenameTableOp(old, new, schema=schema))
        was = {c.name: c for c in dropped.to_table().columns}
        now = {c.name: c for c in created.to_table().columns}
        gone = (c for n, c in was.items() if n not in now)
        more = (c for n, c in now.items() if n not in was)
        both = [n for n in was if n in now]
        changed = [
            *(ops.AddColumnOp(new, _copied(c), schema=schema) for c in more),
            *(op for n in both for op in self._altered(rename, new, was[n], now[n])),
            *(ops.DropColumnOp.from_column_and_tablename(schema, new, c) for c in gone),
        ]
        if changed:
            self._after.append(ops.ModifyTableOps(new, changed, schema=schema))

    # Indexes and constraints.

    def _carry(self) -> None:
        """What a rename takes along is neither dropped nor made again."""
        for listed in self._lists():
            for op in [op for op in listed if isinstance(op, _CARRIED)]:
                before = self._signature(op, renamed=False)
                after = self._signature(op, renamed=True)
                if before != after:
                    listed.remove(op)
                    self._settle(op, after)

    def _settle(self, drop: Any, signature: Any) -> None:
        made = self._find(signature)
        old, new = _name(drop), _name(made) if made else None
        if made is not None and (new in (None, old) or self._keeps_its_name(made, old)):
            self._remove(made)
        elif made is not None and self._renames_it(drop):
            self._remove(made)
            self._renames.append(self._renamed_object(drop, old, new))
        else:
            place = (drop.table_name, [drop])
            self._first.append(ops.ModifyTableOps(*place, schema=drop.schema))

    def _renames_it(self, drop: Any) -> bool:
        """Whether the database can give an index or constraint another name."""
        if self._dialect.name == "postgresql":
            return True
        # A unique constraint of theirs is an index; one that a foreign key needs cannot be dropped.
        indexed = isinstance(drop, ops.DropIndexOp) or drop.constraint_type == "unique"
        maria = getattr(self._dialect, "is_mariadb", False)
        since = _RENAMES_INDEXES.get("mariadb" if maria else self._dialect.name)
        version = tuple(self._dialect.server_version_info or ())
        return indexed and since is not None and version >= since

    def _keeps_its_name(self, made: Any, old: str | None) -> bool:
        # Alembic never compares the names of foreign keys: making one anew gains nothing.
        is_key = isinstance(made, ops.CreateForeignKeyOp)
        return old is None or (is_key and self._dialect.name != "postgresql")

    def _unnamed(self) -> None:
        """Autogenerate cannot drop what has no name, and would only add it a second time."""
        for schema, old in {(s, t) for s, t, _ in self._columns} | set(self._tables):
            look = sa.inspect(self._context.connection)
            for found in look.get_unique_constraints(old, schema=schema):
                if found["name"] is None:
                    place = (schema, old)
                    names = self._names(place, found["column_names"])
                    kind = ("unique", None)
                    made = self._find((kind, self._place(place), names, (None, None), ()))
                    self._remove(made)

    def _renamed_object(self, drop: Any, old: Any, new: Any) -> RenameSQLOp:
        quote = self._dialect.identifier_preparer.quote
        schema = f"{quote(drop.schema)}." if drop.schema else ""
        table = self._tables.get((drop.schema, drop.table_name), drop.table_name)
        if self._dialect.name in _NEEDS_DEFINITION:
            template = f"ALTER TABLE {schema}{quote(table)} RENAME INDEX {{old}} TO {{new}}"
        elif isinstance(drop, ops.DropIndexOp):
            # Only the name that is there stands with its schema.
            template = f"ALTER INDEX {schema}{{old}} RENAME TO {{new}}"
        else:
            template = f"ALTER TABLE {schema}{quote(table)} RENAME CONSTRAINT {{old}} TO {{new}}"
        return RenameSQLOp(template, quote(old), quote(new))

    def _find(self, signature: Any) -> Any:
        for listed in self._lists():
            for op in listed:
                made = isinstance(op, (ops.CreateIndexOp, ops.AddConstraintOp))
                if made and self._signature(op, renamed=False) == signature:
                    return op
        return None

    def _remove(self, op: Any) -> None:
        for listed in self._lists():
            if op in listed:
                listed.remove(op)

    def _signature(self, op: Any, *, renamed: bool) -> Any:
        """What an index or constraint is, by the names before or after the renames."""
        if isinstance(op, (ops.DropIndexOp, ops.CreateIndexOp)):
            made: Any = op.to_index()
            found = elements.index(made, self._dialect)
            # MySQL and MariaDB tell no unique constraint from a unique index.
            one = found["unique"] and self._dialect.name in _NEEDS_DEFINITION
            kind = ("unique", None) if one else ("index", found["unique"])
        else:
            made = op.to_constraint()
            found = elements.constraint(made, self._dialect)
            kind = (found["kind"], found.get("expression"))
        table = made.table
        here = (table.schema, str(table.name))
        there = (found.get("referred_schema"), found.get("referred_table"))
        columns, referred = found["columns"], found.get("referred_columns", [])
        if not renamed:
            return (kind, here, tuple(columns), there, tuple(referred))
        return (
            kind,
            self._place(here),
            self._names(here, columns),
            self._place(there),
            self._names(there, referred),
        )

    def _place(self, place: tuple[Any, Any]) -> tuple[Any, Any]:
        return (place[0], self._tables.get(place, place[1]))

    def _names(self, place: tuple[Any, Any], names: list[str]) -> tuple[str, ...]:
        return tuple(self._columns.get((*place, n), n) for n in names)


def _copied(column: Any) -> Any:
    # SQLAlchemy 1.4 and later keep it private; a column belongs to one table only.
    return column._copy()  # noqa: SLF001


def _of(op: Any, attribute: str) -> Any:
    value = getattr(op, attribute)
    return value.name if attribute == "column" else value


def _name(op: Any) -> str | None:
    name = op.index_name if hasattr(op, "index_name") else op.constraint_name
    return None if name is None else str(name)
