"""The tables of a database that hold rows, with their columns and primary keys.

Asked of the catalogue in a few queries: an inspector asks several for each table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from sqlalchemy import text

Place = tuple[Optional[str], str]
"""A schema (None for the default one) and a table's name."""

_POSTGRESQL = """SELECT CASE WHEN n.nspname = current_schema() THEN NULL ELSE n.nspname END,
    c.relname, a.attname, COALESCE(a.attnum = ANY (i.indkey), false),
    CASE WHEN c.relkind = 'r' AND NOT c.relhassubclass THEN pg_relation_size(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 NULLS FIRST, 2, a.attnum"""

_MYSQL = """SELECT NULL, c.table_name, c.column_name, c.column_key = 'PRI', t.data_length
FROM information_schema.columns c JOIN information_schema.tables t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = database() AND t.table_type = 'BASE TABLE'
ORDER BY c.table_name, c.ordinal_position"""

_SQLITE = """SELECT NULL, m.name, c.name, c.pk > 0, NULL FROM sqlite_master m
JOIN pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.rootpage > 0
    AND c.hidden <> 1 ORDER BY m.name, c.cid"""

_QUERIES = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL, "sqlite": _SQLITE}


class Table(NamedTuple):
    """A table; `key` is empty where it has no primary key, `size` (bytes) None where not told."""

    place: Place
    columns: tuple[str, ...]
    key: tuple[str, ...]
    size: int | None

    @property
    def name(self) -> str:
        """With its schema, where that is not the default one."""
        return ".".join(part for part in self.place if part)


def listed(connection: Any) -> Iterator[Table]:
    """Every table that holds rows; none for a kind of database that is not known here."""
    query = _QUERIES.get(connection.dialect.name)
    found: dict[Place, list[tuple[str, bool]]] = {}
    sizes: dict[Place, int | None] = {}
    for schema, table, column, in_key, size in connection.execute(text(query)) if query else ():
        found.setdefault((schema, str(table)), []).append((str(column), bool(in_key)))
        sizes[schema, str(table)] = None if size is None else int(size)
    for place, columns in found.items():
        named = tuple(name for name, _ in columns)
        yield Table(place, named, tuple(name for name, in_key in columns if in_key), sizes[place])
