"""The archives in the target: tables of that name that no model stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import text

from .archiving import PREFIX, is_archive
from .load import Loaded

MOST = 100_000
"""Rows at which counting stops."""

_LISTED = {
    "postgresql": """SELECT nullif(n.nspname, current_schema()), c.relname,
        pg_total_relation_size(c.oid), obj_description(c.oid, 'pg_class')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND starts_with(c.relname, :prefix) ORDER BY 1, 2""",
    "mysql": """SELECT nullif(table_schema, database()), table_name, data_length + index_length,
        nullif(table_comment, '') FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_name LIKE concat(:prefix, '%') ORDER BY 1, 2""",
    "sqlite": """SELECT NULL, name, NULL, NULL FROM sqlite_master
        WHERE type = 'table' AND name LIKE :prefix || '%' ORDER BY 2""",
}


def archives(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """The archives, by name.

    Returns:
        `archives`: dicts shaped as `records.Kept`.
    """
    found: dict[str, list[dict[str, Any]]] = {}

    def look(_: Any, context: Any) -> list[Any]:
        found.setdefault("archives", list(_found(context)))
        return []

    loaded.run_env(look, dont_mutate=True)
    return found


def _found(context: Any) -> Iterator[dict[str, Any]]:
    connection = context.connection
    query = _LISTED.get(
        "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
    )
    given: Any = context.opts.get("target_metadata")
    several: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]  # pyright: ignore[reportUnknownArgumentType] - SQLAlchemy's
    models = {(t.schema, t.name) for m in several if m is not None for t in m.tables.values()}
    listed = connection.execute(text(query), {"prefix": PREFIX}).all() if query else ()
    for schema, name, size, note in listed:
        if is_archive(name) and (schema, name) not in models:
            rows = _rows(connection, schema, name)
            yield {
                "name": name,
                "schema": schema,
                "rows": min(rows, MOST),
                "at_least": rows > MOST,
                "bytes": None if size is None else int(size),
                "note": note,
            }


def _rows(connection: Any, schema: str | None, name: str) -> int:
    table = sa.table(name, schema=schema)
    some = sa.select(sa.literal(1)).select_from(table).limit(MOST + 1).subquery()
    return int(connection.scalar(sa.select(sa.func.count()).select_from(some)))
