"""A table as a change in phases has to know it: its key, its columns, and what holds on to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import text

from . import resting

_DEFINED = re.compile(r"^\s*`(?P<name>[^`]+)`\s+(?P<text>.*?),?$")


def shapes(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Look at tables of the default schema.

    Args:
        loaded: The project.
        args: `tables`: their names.

    Returns:
        `shapes`: dicts shaped as `records.Shape`; what is not there is left out.
    """
    found: list[dict[str, Any]] = []

    def look(_: Any, context: Any) -> list[Any]:
        if not found:
            inspector: Any = sa.inspect(context.connection)
            there = [t for t in args["tables"] if inspector.has_table(t)]
            found.extend(_shape(context.connection, inspector, table) for table in there)
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"shapes": found}


def _shape(connection: Any, inspector: Any, table: str) -> dict[str, Any]:
    key: list[str] = inspector.get_pk_constraint(table).get("constrained_columns") or []
    defined = _defined(connection, table)
    return {
        "table": table,
        "key": list(key),
        "columns": [_column(c, defined) for c in inspector.get_columns(table)],
        "held": list(_held(connection, inspector, table)),
    }


def _column(column: dict[str, Any], defined: dict[str, str]) -> dict[str, Any]:
    default = column.get("default")
    made = column.get("computed") or column.get("identity") or column.get("autoincrement") is True
    return {
        "name": str(column["name"]),
        "nullable": bool(column.get("nullable", True)),
        "default": None if default is None else str(default),
        "generated": bool(made),
        "definition": defined.get(str(column["name"])),
    }


def _defined(connection: Any, table: str) -> dict[str, str]:
    """MySQL's and MariaDB's own words for each column, which MODIFY has to repeat."""
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return {}
    quoted = connection.dialect.identifier_preparer.quote_identifier(table)
    made = str(connection.execute(text(f"SHOW CREATE TABLE {quoted}")).fetchone()[1])
    found = (_DEFINED.match(line) for line in made.splitlines())
    return {line["name"]: line["text"] for line in found if line}


def _held(connection: Any, inspector: Any, table: str) -> Iterator[dict[str, Any]]:
    """What rests on columns, beside the primary key."""
    if connection.dialect.name == "postgresql":
        yield from resting.held(connection, inspector, table)
        return
    for key in inspector.get_foreign_keys(table):
        yield {"what": "a foreign key", "columns": list(key["constrained_columns"])}
    for one in inspector.get_indexes(table):
        columns = [str(c) for c in one.get("column_names") or () if c is not None]
        # An index on an expression may name any column.
        yield {"what": f"the index {one['name']}", "columns": columns or ["*"]}
    for one in inspector.get_unique_constraints(table):
        yield {"what": "a unique constraint", "columns": list(one["column_names"])}
    for one in inspector.get_check_constraints(table):
        words = re.findall(r"\w+", str(one.get("sqltext")))
        yield {"what": "a CHECK constraint", "columns": words}
    yield from resting.referred(inspector, table)
