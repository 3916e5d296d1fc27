"""Schema objects and SQL constructs as the plain values that leave the worker."""

from __future__ import annotations

import copy
import itertools
import re
from typing import Any, cast

from sqlalchemy import Column, literal

_PLACEHOLDER = re.compile(
    r"(?<![:\w]):(?P<name>[a-zA-Z_]\w*)|__\[POSTCOMPILE_(?P<expanding>\w+)(?:~~.*?~~)?\]"
)

_CONSTRAINTS = {
    "primary_key_constraint": "primary_key",
    "foreign_key_constraint": "foreign_key",
    "unique_constraint": "unique",
    "check_constraint": "check",
    "column_check_constraint": "check",
    "table_or_column_check_constraint": "check",
    "exclude_constraint": "exclude",
}


def plain(dialect: Any) -> Any:
    """A copy of `dialect` that writes SQL as people do: named parameters, single percent signs."""
    reader = copy.copy(dialect)
    reader.paramstyle = "named"
    reader.positional = False
    reader.identifier_preparer = reader.preparer(reader)
    # Literal renderers are kept there, closed over the dialect that they were made for.
    kept = cast("dict[str, Any]", vars(reader))
    kept.pop("_type_memos", None)
    # A driver that needs casts around its parameters has none here.
    kept["_bind_typing_render_casts"] = False
    return reader


def type_text(type_: Any, dialect: Any) -> str:
    """A type as the dialect's DDL names it; its repr where the dialect cannot, "" for none."""
    if type_ is None:
        return ""
    shown = type_() if isinstance(type_, type) else type_
    if getattr(shown, "_isnull", False):
        return ""
    try:
        return str(shown.compile(dialect=plain(dialect)))
    except Exception:  # noqa: BLE001 - types of other libraries raise whatever they like
        return repr(shown)


def default_text(default: Any, dialect: Any) -> str | None:
    """A server default as it would stand in the DDL; None where the DDL would have none."""
    if default is None or default is False:
        return None
    try:
        return column_default(Column("x", server_default=default), dialect)
    except Exception:  # noqa: BLE001 - an expression that the dialect cannot render
        return str(getattr(default, "arg", default))


def column_default(column: Any, dialect: Any) -> str | None:
    """The DEFAULT of a column as SQL text."""
    reader = plain(dialect)
    text = reader.ddl_compiler(reader, None).get_column_default_string(column)
    return None if text is None else str(text)


def column(column: Any, dialect: Any) -> dict[str, Any]:
    """A column as `Column` of the operations' model."""
    return {
        "name": str(column.name),
        "type": type_text(column.type, dialect),
        "nullable": bool(column.nullable),
        "server_default": default_text(_stated(column.server_default), dialect),
        "python_default": column.default is not None,
        "primary_key": bool(column.primary_key),
        "unique": bool(column.unique),
        "generated": _generated(column),
        "generation": _generation(column),
        "makes_type": _makes_type(column.type, dialect),
    }


def _makes_type(type_: Any, dialect: Any) -> str | None:
    """The enumeration that PostgreSQL gets together with the table that the column is made in."""
    if dialect.name != "postgresql":
        return None
    own: Any = type_.dialect_impl(dialect)
    made = getattr(own, "native_enum", False) and getattr(own, "create_type", False)
    return str(own.name) if made and getattr(own, "name", None) else None


def _stated(server_default: Any) -> Any:
    return server_default if getattr(server_default, "arg", None) is not None else None


def _generated(column: Any) -> bool:
    return (
        getattr(column, "computed", None) is not None
        or getattr(column, "identity", None) is not None
    )


def _generation(column: Any) -> str | None:
    computed = getattr(column, "computed", None)
    if computed is None:
        return "identity" if getattr(column, "identity", None) is not None else None
    return {None: "computed", True: "stored", False: "virtual"}[computed.persisted]


def kind_of(constraint: Any) -> str:
    """The kind of a constraint object, "unknown" for those not known here."""
    return _CONSTRAINTS.get(str(getattr(constraint, "__visit_name__", "")), "unknown")


def constraint(constraint: Any, dialect: Any) -> dict[str, Any]:
    """A constraint as `Constraint` of the operations' model."""
    kind = kind_of(constraint)
    found: dict[str, Any] = {
        "kind": kind,
        "name": _name(constraint),
        "columns": _names(constraint) if kind != "check" else [],
        "not_valid": _option(constraint, dialect, "not_valid"),
    }
    if kind == "foreign_key":
        found.update(_referred(constraint))
    if kind == "check":
        found["expression"] = expression(constraint.sqltext, dialect)
    if kind == "exclude":
        found["expression"] = _excluded(constraint, dialect)
    return found


def _option(element: Any, dialect: Any, name: str) -> bool:
    return bool(dict(getattr(element, "kwargs", {})).get(f"{dialect.name}_{name}", False))


def _name(named: Any) -> str | None:
    return str(named.name) if isinstance(named.name, str) and named.name else None


def _names(constraint: Any) -> list[str]:
    return [str(getattr(c, "name", c)) for c in getattr(constraint, "columns", ())]


def _referred(constraint: Any) -> dict[str, Any]:
    targets = [_target(e) for e in constraint.elements]
    if not targets:
        return {}
    schema, table, _ = targets[0]
    columns = [str(c) for _, _, c in targets if c is not None]
    return {
        "referred_schema": schema,
        "referred_table": table,
        "referred_columns": columns,
        "on_delete": constraint.ondelete,
    }


def _target(key: Any) -> Any:
    # `target_tokens` is SQLAlchemy 2.1's public name for what 1.4 and 2.0 keep private.
    return key.target_tokens if hasattr(key, "target_tokens") else key._column_tokens  # noqa: SLF001


def _excluded(constraint: Any, dialect: Any) -> str:
    reader = plain(dialect)
    try:
        return str(reader.ddl_compiler(reader, None).process(constraint))
    except Exception:  # noqa: BLE001 - only PostgreSQL can render it
        return repr(constraint)


def index(index: Any, dialect: Any) -> dict[str, Any]:
    """An index as `Index` of the operations' model."""
    options = {k: v for k, v in dict(index.kwargs).items() if v is not None}
    method = options.get(f"{dialect.name}_using")
    return {
        "name": _name(index),
        "columns": [expression(e, dialect) for e in index.expressions],
        "unique": bool(index.unique),
        "method": None if method is None else str(method),
        "concurrently": bool(options.get(f"{dialect.name}_concurrently", False)),
    }


def expression(element: Any, dialect: Any) -> str:
    """A column's bare name, or an expression as SQL text without table names."""
    if isinstance(element, str):
        return element
    if isinstance(element, Column):
        return str(element.name)
    reader = plain(dialect)
    try:
        compiler = reader.statement_compiler(reader, None)
        return str(compiler.process(element, include_table=False, literal_binds=True))
    except Exception:  # noqa: BLE001 - better the construct's own text than no text
        return str(element)


def sql_text(
    statement: Any, dialect: Any, parameters: Any = None, keys: list[str] | None = None
) -> str:
    """The SQL of a statement, with its values written into it where that can be done.

    Args:
        statement: A string, or any construct that SQLAlchemy executes.
        dialect: The dialect to write it in.
        parameters: The values of one execution by name; None where there are none or many.
        keys: The columns that an INSERT or UPDATE was given values for at execution.
    """
    if isinstance(statement, str):
        return statement.replace("\\:", ":").strip()
    reader = plain(dialect)
    values = None if parameters is None and keys is None else dict(parameters or {})
    for attempt in (_literal, _substituted, _bare):
        try:
            return attempt(statement, reader, values, keys).strip()
        except Exception:  # noqa: BLE001, S112 - the next attempt asks for less
            continue
    return str(statement).strip()


def _literal(statement: Any, dialect: Any, values: dict[str, Any] | None, _: Any) -> str:
    if values is not None:
        raise ValueError("values come with the execution")
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _substituted(statement: Any, dialect: Any, values: dict[str, Any] | None, keys: Any) -> str:
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    known = values or {}
    return _PLACEHOLDER.sub(lambda m: _value(compiled, known, m), str(compiled))


def _value(compiled: Any, values: dict[str, Any], match: re.Match[str]) -> str:
    name = match["expanding"] or match["name"]
    found = _expanded(name, values) if match["expanding"] else [name]
    bind = compiled.binds.get(name)
    if bind is None or not all(n in values for n in found):
        return f":{name}"
    try:
        return ", ".join(_written(compiled, values[n], bind.type) for n in found)
    except Exception:  # noqa: BLE001 - a value without a literal form stays a parameter
        return f":{name}"


def _expanded(name: str, values: dict[str, Any]) -> list[str]:
    """The names that SQLAlchemy gives the members of an IN list."""
    found = itertools.takewhile(values.__contains__, (f"{name}_{i}" for i in itertools.count(1)))
    return list(found) or [name]


def _written(compiled: Any, value: Any, type_: Any) -> str:
    if value is None:
        return "NULL"
    known = literal(value).type if getattr(type_, "_isnull", False) else type_
    return str(compiled.render_literal_value(value, known))


def _bare(statement: Any, dialect: Any, _: Any, keys: list[str] | None) -> str:
    return str(statement.compile(dialect=dialect, column_keys=keys))
