"""Alembic's operations as the plain values of the operations' model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from alembic.operations import schemaobj
from sqlalchemy import Table

from . import elements

Step = dict[str, Any]
_Reader = Callable[[Any, Any, Any], Iterable[Step]]

_DROPPED = {
    "foreignkey": "foreign_key",
    "primary": "primary_key",
    "unique": "unique",
    "check": "check",
}


def serialize(ops: Any, dialect: Any, *, context: Any = None) -> list[Step]:
    """The steps of alembic operations, flattened, in order.

    Args:
        ops: A container such as `UpgradeOps`, one operation, or an iterable of them.
        dialect: The dialect that types, defaults and expressions are rendered in.
        context: The `MigrationContext` under which these operations run. With it, the constraints
            and indexes that an added column brings along are steps of their own, and names follow
            its naming convention. Without it (autogenerate, which proposes those itself) not.

    Returns:
        One dict a step, shaped as `rulezero_policies.operations.Operation`.
    """
    return [step for op in _flat(ops) for step in _steps(op, dialect, context)]


def _flat(ops: Any) -> Iterator[Any]:
    if isinstance(ops, (list, tuple)):
        for op in cast("list[Any]", ops):
            yield from _flat(op)
    elif hasattr(ops, "ops"):
        yield from _flat(list(ops.ops))
    else:
        yield ops


def _steps(op: Any, dialect: Any, context: Any) -> list[Step]:
    read = reader_of(op)
    if read is None:
        return [opaque(f"{type(op).__name__} is not one of alembic's own operations")]
    try:
        return list(read(op, dialect, context))
    except Exception as error:  # noqa: BLE001 - what cannot be read is said to be unknown
        return [opaque(f"{type(op).__name__} could not be read: {error}", **_place(op))]


STUCK = "autocommit inside the transaction of env.py"
"""The verb of a step at which alembic gives up, whatever the step does."""


def opaque(detail: str, **more: Any) -> Step:
    """A step that could not be understood, and why."""
    return {"kind": "opaque", "detail": detail, **more}


def reader_of(op: Any) -> _Reader | None:
    """The reader of an operation's class or of the nearest class that it derives from."""
    return next((_READERS[c.__name__] for c in type(op).__mro__ if c.__name__ in _READERS), None)


def _place(op: Any) -> Step:
    table = getattr(op, "table_name", None)
    schema = getattr(op, "schema", None)
    return {
        "table": None if table is None else str(table),
        "schema": None if schema is None else str(schema),
    }


def _of(table: Table) -> Step:
    return {
        "table": str(table.name),
        "schema": None if table.schema is None else str(table.schema),
    }


def table_of(op: Any, context: Any) -> Table:
    """The table that a `CreateTableOp` makes; made once, since its indexes can join but one."""
    kept = cast("dict[str, Any]", vars(op))
    if "made" not in kept:
        kept["made"] = op.to_table(context)
    return kept["made"]


def _create_table(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    table = table_of(op, context)
    yield {
        "kind": "create_table",
        **_of(table),
        "columns": [elements.column(c, dialect) for c in table.columns],
        "constraints": _constraints(table, dialect),
    }
    yield from _indexes(table, dialect)


def _constraints(table: Table, dialect: Any) -> list[Step]:
    found = [
        elements.constraint(c, dialect) for c in table.constraints if _is_created(c, table, dialect)
    ]
    return sorted(found, key=lambda c: (c["kind"] != "primary_key", c["kind"], str(c["columns"])))


def _is_created(constraint: Any, table: Table, dialect: Any) -> bool:
    if elements.kind_of(constraint) == "primary_key" and not len(table.primary_key.columns):
        return False
    # The CHECKs of Boolean and Enum exist only on dialects without such a type.
    rule = getattr(constraint, "_create_rule", None)
    return rule is None or bool(rule(dialect.ddl_compiler(dialect, None)))


def _indexes(table: Table, dialect: Any) -> Iterator[Step]:
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        yield {"kind": "create_index", **_of(table), "index": elements.index(index, dialect)}


def _drop_table(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    before = op._reverse.to_table(context) if op._reverse is not None else None  # noqa: SLF001 - alembic keeps the table there
    columns = [] if before is None else [elements.column(c, dialect) for c in before.columns]
    yield {"kind": "drop_table", **_place(op), "columns": columns}


def _rename_table(op: Any, _: Any, __: Any) -> Iterator[Step]:
    yield {"kind": "rename_table", **_place(op), "name": str(op.new_table_name)}


def _add_column(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    yield {"kind": "add_column", **_place(op), "column": elements.column(op.column, dialect)}
    if context is None:
        return
    objects: Any = schemaobj.SchemaObjects(context)
    table = objects.table(op.table_name, op.column, schema=op.schema)
    for found in _constraints(table, dialect):
        if found["kind"] != "primary_key":
            yield {"kind": "create_constraint", **_place(op), "constraint": found}
    yield from _indexes(table, dialect)


def _drop_column(op: Any, dialect: Any, _: Any) -> Iterator[Step]:
    reverse = op._reverse  # noqa: SLF001 - alembic keeps the column there
    known = {"name": str(op.column_name), "type": _dropped_type(op, dialect)}
    shown = known if reverse is None else elements.column(reverse.column, dialect)
    yield {"kind": "drop_column", **_place(op), "column": shown}


def _dropped_type(op: Any, dialect: Any) -> str:
    return elements.type_text(op.kw.get("existing_type"), dialect)


def _alter_column(op: Any, dialect: Any, _: Any) -> Iterator[Step]:
    yield {
        "kind": "alter_column",
        **_place(op),
        "column": {
            "name": str(op.column_name),
            "type": elements.type_text(op.existing_type, dialect),
            "nullable": op.existing_nullable is not False,
            "server_default": elements.default_text(op.existing_server_default, dialect),
            "generated": _is_generated(op.existing_server_default),
            "stated": list(_stated(op)),
        },
        "changes": list(_changes(op, dialect)),
    }


def _stated(op: Any) -> Iterator[str]:
    """What the revision says of the column as it is."""
    if op.existing_nullable is not None:
        yield "nullable"
    if op.existing_server_default is not False:
        yield "server_default"
    if op.kw.get("existing_autoincrement") is not None:
        yield "autoincrement"
    if op.existing_comment is not None:
        yield "comment"


def _is_generated(default: Any) -> bool:
    return str(getattr(default, "__visit_name__", "")) in {"computed_column", "identity_column"}


def _changes(op: Any, dialect: Any) -> Iterator[Step]:
    if op.modify_type is not None:
        before = elements.type_text(op.existing_type, dialect) or None
        changed = _change("type", before, elements.type_text(op.modify_type, dialect))
        yield {**changed, "using": op.kw.get("postgresql_using")}
    if op.modify_nullable is not None:
        yield _change("nullable", _flag(op.existing_nullable), _flag(op.modify_nullable))
    if op.modify_server_default is not False:
        yield _default_change(op, dialect)
    if op.modify_name is not None:
        yield _change("name", str(op.column_name), str(op.modify_name))
    if op.modify_comment is not False:
        yield _change("comment", op.existing_comment or None, op.modify_comment)
    if op.kw.get("autoincrement") is not None:
        before = _flag(op.kw.get("existing_autoincrement"))
        yield _change("autoincrement", before, _flag(op.kw["autoincrement"]))


def _default_change(op: Any, dialect: Any) -> Step:
    return _change(
        "server_default",
        _default(op.existing_server_default, dialect),
        _default(op.modify_server_default, dialect),
    )


def _default(default: Any, dialect: Any) -> str | None:
    if _is_generated(default):
        return repr(default)
    return elements.default_text(default, dialect)


def _change(attribute: str, before: str | None, after: str | None) -> Step:
    return {"attribute": attribute, "before": before, "after": after}


def _flag(value: Any) -> str | None:
    return None if value is None else ("true" if value else "false")


def _create_index(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    found = elements.index(op.to_index(context), dialect)
    found["if_exists"] = bool(getattr(op, "if_not_exists", False))
    yield {"kind": "create_index", **_place(op), "index": found}


def _drop_index(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    found = elements.index(op.to_index(context), dialect)
    # Without a reverse, alembic makes the index up from a column named "x".
    if op._reverse is None:  # noqa: SLF001 - kept only there
        found["columns"] = []
    found["if_exists"] = bool(getattr(op, "if_exists", False))
    yield {"kind": "drop_index", **_place(op), "index": found}


def _create_constraint(op: Any, dialect: Any, context: Any) -> Iterator[Step]:
    made = op.to_constraint(context)
    found = elements.constraint(made, dialect)
    yield {"kind": "create_constraint", **_of(made.table), "constraint": found}


def _drop_constraint(op: Any, dialect: Any, _: Any) -> Iterator[Step]:
    reverse = op._reverse  # noqa: SLF001 - alembic keeps the constraint there
    known: Step = {} if reverse is None else elements.constraint(reverse.to_constraint(), dialect)
    kind = _DROPPED.get(str(op.constraint_type), known.get("kind", "unknown"))
    name = None if op.constraint_name is None else str(op.constraint_name)
    found = {**known, "kind": kind, "name": name}
    yield {"kind": "drop_constraint", **_place(op), "constraint": found}


def _execute(op: Any, dialect: Any, _: Any) -> Iterator[Step]:
    yield {"kind": "execute", "sql": elements.sql_text(op.sqltext, dialect)}


def _bulk_insert(op: Any, _: Any, __: Any) -> Iterator[Step]:
    place = {"table": str(op.table.name), "schema": getattr(op.table, "schema", None)}
    yield {"kind": "bulk_insert", **place, "detail": f"{len(op.rows)} rows"}


def _table_comment(op: Any, _: Any, __: Any) -> Iterator[Step]:
    yield {"kind": "table_comment", **_place(op), "detail": getattr(op, "comment", None)}


_READERS: dict[str, _Reader] = {
    "CreateTableOp": _create_table,
    "DropTableOp": _drop_table,
    "RenameTableOp": _rename_table,
    "AddColumnOp": _add_column,
    "DropColumnOp": _drop_column,
    "AlterColumnOp": _alter_column,
    "CreateIndexOp": _create_index,
    "DropIndexOp": _drop_index,
    "AddConstraintOp": _create_constraint,
    "DropConstraintOp": _drop_constraint,
    "ExecuteSQLOp": _execute,
    "BulkInsertOp": _bulk_insert,
    "CreateTableCommentOp": _table_comment,
    "DropTableCommentOp": _table_comment,
}
