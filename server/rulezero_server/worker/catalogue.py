"""What each database's catalogue says about its schema, as rows that can be hashed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import text

from . import elements

_PG_OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

_POSTGRESQL_QUERIES = (
    """SELECT n.nspname, c.relname, 'column', a.attnum, a.attname,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid), c.relkind
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND {ours}""",
    """SELECT n.nspname, c.relname, 'table', c.relkind::text, c.relpersistence::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'S') AND {ours}""",
    """SELECT n.nspname, c.relname, 'constraint', k.conname, pg_get_constraintdef(k.oid),
        k.convalidated
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {ours}""",
    """SELECT n.nspname, c.relname, 'index', pg_get_indexdef(i.indexrelid), i.indisvalid
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 't' AND {ours}""",
    """SELECT n.nspname, t.typname, 'enum', e.enumsortorder, e.enumlabel
    FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
    JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {ours}""",
    """SELECT n.nspname, c.relname, 'view', pg_get_viewdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND {ours}""",
    """SELECT n.nspname, c.relname, 'trigger', pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND {ours}""",
)

_POSTGRESQL = tuple(query.replace("{ours}", _PG_OURS) for query in _POSTGRESQL_QUERIES)

_SQLITE = ("SELECT NULL, tbl_name, type, name, sql FROM sqlite_master",)

_MYSQL = (
    """SELECT table_schema, table_name, 'column', column_name, ordinal_position, column_default,
        is_nullable, column_type, extra, collation_name
    FROM information_schema.columns WHERE table_schema = database()""",
    """SELECT table_schema, table_name, 'index', index_name, seq_in_index, column_name, non_unique,
        sub_part, index_type
    FROM information_schema.statistics WHERE table_schema = database()""",
    """SELECT table_schema, table_name, 'key', constraint_name, ordinal_position, column_name,
        referenced_table_schema, referenced_table_name, referenced_column_name
    FROM information_schema.key_column_usage WHERE table_schema = database()""",
    """SELECT table_schema, table_name, 'constraint', constraint_name, constraint_type
    FROM information_schema.table_constraints WHERE table_schema = database()""",
    """SELECT table_schema, table_name, 'view', view_definition
    FROM information_schema.views WHERE table_schema = database()""",
    """SELECT event_object_schema, event_object_table, 'trigger', trigger_name, action_timing,
        event_manipulation, action_statement
    FROM information_schema.triggers WHERE trigger_schema = database()""",
)

_QUERIES = {"postgresql": _POSTGRESQL, "sqlite": _SQLITE, "mysql": _MYSQL, "mariadb": _MYSQL}

_DEFAULT_SCHEMA = {
    "postgresql": "SELECT current_schema()",
    "mysql": "SELECT database()",
    "mariadb": "SELECT database()",
}


def rows(connection: Any, version_table: tuple[str | None, str]) -> list[tuple[Any, ...]] | None:
    """Every row that describes the schema, the version table's left out; None if unknown.

    The first two values of a row are the schema and the table it belongs to.
    """
    queries = _QUERIES.get(connection.dialect.name)
    if queries is None:
        return None
    schema, table = version_table
    asked = _DEFAULT_SCHEMA.get(connection.dialect.name)
    if schema is None and asked is not None:
        schema = connection.scalar(text(asked))
    return [
        tuple(row)
        for query in queries
        for row in connection.execute(text(query)).fetchall()
        if (row[0], row[1]) != (schema, table)
    ]


def columns(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """The columns of tables as they stand.

    Args:
        loaded: The project.
        args: `tables`: pairs of a schema (or None) and a name.

    Returns:
        `tables`: shaped as `picture.LiveTable`; what is not there or cannot be read is left out.
    """
    found: list[dict[str, Any]] = []

    def look(_: Any, context: Any) -> list[Any]:
        if not found:
            read = (_table(context.connection, *place) for place in args["tables"])
            found.extend(table for table in read if table is not None)
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"tables": found}


def _table(connection: Any, schema: str | None, table: str) -> dict[str, Any] | None:
    try:
        listed = sa.inspect(connection).get_columns(table, schema=schema)
    except Exception:  # noqa: BLE001 - a picture is no reason to fail, whatever a driver raises
        return None
    shown = [_column(entry, connection.dialect) for entry in listed]
    return {"schema": schema, "table": table, "columns": shown}


def _column(entry: Any, dialect: Any) -> dict[str, Any]:
    default = entry.get("default")
    return {
        "name": str(entry["name"]),
        "type": elements.type_text(entry["type"], dialect),
        "nullable": bool(entry["nullable"]),
        "server_default": None if default is None else str(default),
    }
