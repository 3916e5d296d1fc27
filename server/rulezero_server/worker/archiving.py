"""What autogenerate proposes, with what is dropped archived first and put back by the downgrade.

The statements stand right beside the operation that they are for, where tables and columns have the
names of that moment. Tables go last on the way up and come back first on the way down, so that what
refers to them is gone, and is made again, while they are there.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Optional

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.operations import ops

from . import archivesql
from .renameops import RenameTableOp

PREFIX = "rulezero_archive_"
_ARCHIVE = re.compile(rf"{PREFIX}[0-9a-z_]+_\d+")
_LONGEST = 40
"""Characters of a revision in a name: 63 bytes are PostgreSQL's most."""

Place = tuple[Optional[str], str]


def is_archive(name: Any) -> bool:
    """Whether a table has an archive's name."""
    return _ARCHIVE.fullmatch(str(name)) is not None


def unseen(context: Any) -> None:
    """Have autogenerate pass over the archives: no model stands for them, and none is to go."""
    before = context.opts.get("include_object")

    def include(item: Any, name: Any, kind: str, reflected: bool, compared: Any) -> bool:  # noqa: FBT001 - Alembic calls it so
        if kind == "table" and reflected and compared is None and is_archive(name):
            return False
        return before is None or bool(before(item, name, kind, reflected, compared))

    context.opts["include_object"] = include


class BatchTableOps(ops.ModifyTableOps):
    """Changes that SQLite makes in a batch alone, whatever env.py asks for."""


@renderers.dispatch_for(BatchTableOps)
def _render_batch(autogen: Any, op: BatchTableOps) -> Any:
    before = autogen.opts.get("render_as_batch", False)
    autogen.opts["render_as_batch"] = True
    try:
        return renderers.dispatch(ops.ModifyTableOps(op.table_name, []))(autogen, op)
    finally:
        autogen.opts["render_as_batch"] = before


def rewrite(
    revision: Any, wishes: list[dict[str, Any]], renames: list[dict[str, Any]], context: Any
) -> dict[str, Any]:
    """Archive what `wishes` names, as far as it is still dropped or narrowed.

    Args:
        revision: Alembic's revision context, after renames were made of what are renames.
        wishes: Dicts shaped as `archives.Wish`.
        renames: The renames that were made, shaped as `renames.Rename`.
        context: The migration context of the comparison.

    Returns:
        `archives`: dicts shaped as `archives.Archive`. `not_archived`: why, a sentence each.
    """
    made: list[dict[str, Any]] = []
    left: list[str] = []
    for script in revision.generated_revisions if wishes else ():
        for up, down in zip(script.upgrade_ops_list, script.downgrade_ops_list):
            rewriter = _Archiver(up, down, context, str(script.rev_id), renames)
            rewriter.rewrite(wishes)
            made += rewriter.made
            left += rewriter.left
    return {"archives": made, "not_archived": left}


class _Archiver:
    """One list of operations and its way back."""

    def __init__(
        self, up: Any, down: Any, context: Any, revision: str, renames: list[dict[str, Any]]
    ) -> None:
        self._up, self._down = up.ops, down.ops
        self._dialect = context.dialect
        self._sql = archivesql.Writer(context.dialect)
        self._look: Any = sa.inspect(context.connection)
        self._revision = revision
        self._stem = PREFIX + re.sub(r"[^0-9a-z]", "_", revision.lower())[:_LONGEST]
        self._was = {(r["schema"], r["new"]): r["old"] for r in renames if r["kind"] == "table"}
        self._columns = {
            (r["schema"], r["table"], r["old"]): r["new"] for r in renames if r["kind"] == "column"
        }
        self._keys: list[Any] = []
        self.made: list[dict[str, Any]] = []
        self.left: list[str] = []

    def rewrite(self, wishes: list[dict[str, Any]]) -> None:
        known = self._dialect.name in archivesql.KNOWN
        if not known:
            self.left.append(f"Nothing is archived: {self._dialect.name} is not supported.")
            return
        for wish in wishes:
            place = (wish["schema"], wish["table"])
            if wish["kind"] == "table":
                self._table(place)
            else:
                self._column(place, wish["column"], narrowed=wish["kind"] == "narrowing")
        self._down += self._keys

    # Columns.

    def _column(self, place: Place, column: str, *, narrowed: bool) -> None:
        kind: Any = ops.AlterColumnOp if narrowed else ops.DropColumnOp
        for block in [b for b in self._up if isinstance(b, ops.ModifyTableOps)]:
            if (block.schema, block.table_name) == place:
                for op in self._listed(block):
                    mine = isinstance(op, kind) and op.column_name == column
                    if mine and (not narrowed or op.modify_type is not None):
                        self._one(block, op, narrowed=narrowed)

    @staticmethod
    def _listed(block: Any) -> list[Any]:
        return list(block.ops)

    def _live(self, block: Any) -> str:
        return str(self._was.get((block.schema, block.table_name), block.table_name))

    def _one(self, block: Any, op: Any, *, narrowed: bool) -> None:
        place: Place = (block.schema, block.table_name)
        subject = f"{block.table_name}.{op.column_name}"
        try:
            keys = self._key_of((block.schema, self._live(block)))
            cut = self._cut(op) if narrowed else None
            self._check(place, keys, op, dropped=self._dropped(block))
        except ValueError as why:
            self.left.append(f"{subject} is not archived: {why}.")
            return
        archive = self._next(place, "narrowing" if narrowed else "column", op.column_name)
        if cut is not None:
            self._narrowed(block, op, archive, keys, cut)
        else:
            self._gone(block, op, archive, keys)

    def _key_of(self, live: Place) -> list[str]:
        found: Any = self._look.get_pk_constraint(live[1], schema=live[0])
        columns: list[str] = found["constrained_columns"] if found else []
        if not columns:
            raise ValueError("its table has no primary key to find the rows by")
        return [self._columns.get((*live, c), c) for c in columns]

    def _dropped(self, block: Any) -> set[str]:
        same = (b for b in self._up if isinstance(b, ops.ModifyTableOps))
        mine = (b for b in same if (b.schema, b.table_name) == (block.schema, block.table_name))
        return {op.column_name for b in mine for op in b.ops if isinstance(op, ops.DropColumnOp)}

    def _check(self, place: Place, keys: list[str], op: Any, *, dropped: set[str]) -> None:
        if {op.column_name, *dropped} & set(keys):
            raise ValueError("the primary key changes with it")
        if not archivesql.carried(*place, *keys, op.column_name):
            raise ValueError("its name cannot stand in SQL text of a revision")
        column = op.to_column() if isinstance(op, ops.DropColumnOp) else None
        if column is not None and (column.computed is not None or column.identity is not None):
            raise ValueError("the database fills it itself")

    def _cut(self, op: Any) -> str:
        quoted = self._sql.name(op.column_name)
        cut = self._sql.cut(quoted, op.modify_type)
        if cut is None:
            raise ValueError("how this database would cut its values is not known")
        return cut

    def _next(self, place: Place, kind: str, column: str | None) -> Place:
        name = f"{self._stem}_{len(self.made) + 1}"
        schema, table = place
        told = {"name": name, "kind": kind, "schema": schema, "table": table, "column": column}
        self.made.append(told)
        return schema, name

    def _copied(
        self, block: Any, archive: Place, keys: list[str], column: str, where: str | None
    ) -> None:
        """Before the block: what is copied stands there when it begins."""
        place: Place = (block.schema, block.table_name)
        text = self._sql.copy(archive, place, keys, [column], where)
        at = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        subject = f"{block.table_name}.{column}"
        note = self._sql.note(archive, f"{subject}, archived by revision {self._revision} ({at})")
        _insert(self._up, block, [ops.ExecuteSQLOp(t) for t in (*text, *([note] if note else []))])

    def _gone(self, block: Any, op: Any, archive: Place, keys: list[str]) -> None:
        column = op.to_column()
        name, quoted = op.column_name, self._sql.name(op.column_name)
        # With a default, rows that had none are only told from later ones by being archived, too.
        partly = column.nullable and column.server_default is None
        self._copied(block, archive, keys, name, f"{quoted} IS NOT NULL" if partly else None)
        back, added = self._way_back(block, ops.AddColumnOp, name)
        back.ops.remove(added)
        late = not column.nullable and column.server_default is None
        if late:
            added.column = added.column._copy()  # noqa: SLF001 - SQLAlchemy 1.4 and later keep it private
            added.column.nullable = True
        place: Place = (back.schema, back.table_name)
        kept = self._self_setting((block.schema, self._live(block)), name)
        fill = self._sql.fill(archive, place, keys, name, kept=kept)
        steps: list[Any] = [
            ops.ModifyTableOps(back.table_name, [added], schema=back.schema),
            ops.ExecuteSQLOp(fill),
            *([self._not_null(back, column)] if late else []),
            _dropping(archive),
        ]
        _insert(self._down, back, steps)
        # MySQL and MariaDB keep the index of a foreign key until the key is gone.
        block.ops.sort(key=_keys_first)
        back.ops.sort(key=_keys_last)
        if not back.ops:
            self._down.remove(back)

    def _not_null(self, back: Any, column: Any) -> Any:
        kind = BatchTableOps if self._dialect.name == "sqlite" else ops.ModifyTableOps
        altered = ops.AlterColumnOp(
            back.table_name,
            column.name,
            schema=back.schema,
            existing_type=column.type,
            existing_nullable=True,
            modify_nullable=False,
        )
        return kind(back.table_name, [altered], schema=back.schema)

    def _narrowed(self, block: Any, op: Any, archive: Place, keys: list[str], cut: str) -> None:
        quoted = self._sql.name(op.column_name)
        differs = "IS NOT" if self._dialect.name == "sqlite" else "<>"
        # A collation may call different texts equal.
        one, other = (f"BINARY {quoted}", f"BINARY {cut}") if "LEFT(" in cut else (quoted, cut)
        self._copied(block, archive, keys, op.column_name, f"{one} {differs} {other}")
        back, _ = self._way_back(block, ops.AlterColumnOp, op.column_name)
        place: Place = (back.schema, back.table_name)
        still = cut.replace(quoted, f"archived.{quoted}", 1)
        kept = self._self_setting((block.schema, self._live(block)), op.column_name)
        fill = self._sql.fill(archive, place, keys, op.column_name, still=still, kept=kept)
        at = self._down.index(back) + 1
        self._down[at:at] = [ops.ExecuteSQLOp(fill), _dropping(archive)]

    def _self_setting(self, live: Place, column: str) -> tuple[str, ...]:
        """Columns that MySQL and MariaDB set with every UPDATE that says nothing of them."""
        if not self._sql.mysql:
            return ()
        found: Any = self._look.get_columns(live[1], schema=live[0])
        own = (c for c in found if "ON UPDATE" in str(c.get("default") or "").upper())
        return tuple(
            self._columns.get((*live, c["name"]), c["name"]) for c in own if c["name"] != column
        )

    def _way_back(self, block: Any, kind: type, column: str) -> tuple[Any, Any]:
        """The block of the downgrade that undoes it, and the operation in it."""
        for back in self._down:
            if isinstance(back, ops.ModifyTableOps) and back.schema == block.schema:
                for op in back.ops:
                    if isinstance(op, kind) and (back.table_name, _column_name(op)) == (
                        block.table_name,
                        column,
                    ):
                        return back, op
        raise LookupError(column)

    # Tables.

    def _table(self, place: Place) -> None:
        drop = next((o for o in self._up if _is_drop(o, place)), None)
        if drop is None:
            return
        if not archivesql.carried(*place, *(str(c.name) for c in drop.to_table().columns)):
            self.left.append(f"{place[1]} is not archived: SQL text cannot hold its names.")
            return
        create = next(o for o in self._down if _is_create(o, place))
        keys = [k for k in drop.to_table().foreign_key_constraints if not _to_itself(k, place)]
        self._up.remove(drop)
        self._down.remove(create)
        archive = self._next(place, "table", None)
        if keys and self._dialect.name == "sqlite":
            self._table_copied(place, archive, drop, create)
        else:
            self._table_renamed(place, archive, keys)

    def _table_copied(self, place: Place, archive: Place, drop: Any, create: Any) -> None:
        """SQLite cannot take the keys from a table, and they would hold the rows they refer to."""
        columns = [str(c.name) for c in drop.to_table().columns if c.computed is None]
        copied = [ops.ExecuteSQLOp(t) for t in self._sql.copy(archive, place, [], columns, None)]
        self._up += [*copied, drop]
        refill = ops.ExecuteSQLOp(self._sql.refill(archive, place, columns))
        self._down[:0] = [create, refill, _dropping(archive)]

    def _table_renamed(self, place: Place, archive: Place, keys: list[Any]) -> None:
        """The table lives on as it is, without the keys that would hold the rows they refer to."""
        schema, table = place
        self._without_indexes(place)
        if keys:
            drops = [ops.DropConstraintOp.from_constraint(k) for k in keys]
            self._up.insert(0, ops.ModifyTableOps(table, drops, schema=schema))
            again = [ops.CreateForeignKeyOp.from_constraint(k) for k in keys]
            self._keys.append(ops.ModifyTableOps(table, again, schema=schema))
        self._up.append(RenameTableOp(table, archive[1], schema=schema))
        self._down.insert(0, RenameTableOp(archive[1], table, schema=schema))

    def _without_indexes(self, place: Place) -> None:
        for listed in (self._up, self._down):
            for block in [b for b in listed if isinstance(b, ops.ModifyTableOps)]:
                if (block.schema, block.table_name) == place:
                    listed.remove(block)


def _insert(listed: list[Any], before: Any, steps: list[Any]) -> None:
    at = listed.index(before)
    listed[at:at] = steps


def _dropping(archive: Place) -> Any:
    return ops.DropTableOp(archive[1], schema=archive[0])


def _keys_first(op: Any) -> bool:
    return not (isinstance(op, ops.DropConstraintOp) and op.constraint_type == "foreignkey")


def _keys_last(op: Any) -> bool:
    return isinstance(op, ops.CreateForeignKeyOp)


def _column_name(op: Any) -> str:
    return str(op.column.name if isinstance(op, ops.AddColumnOp) else op.column_name)


def _is_drop(op: Any, place: Place) -> bool:
    return isinstance(op, ops.DropTableOp) and (op.schema, op.table_name) == place


def _is_create(op: Any, place: Place) -> bool:
    return isinstance(op, ops.CreateTableOp) and (op.schema, op.table_name) == place


def _to_itself(key: Any, place: Place) -> bool:
    schema, table = place
    first = str(key.elements[0].target_fullname).rpartition(".")[0]
    return first == (f"{schema}.{table}" if schema else table)
