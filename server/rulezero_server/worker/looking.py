"""What the catalogue and the session say: no row of a table is read for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from . import counting, inside_sqlite
from .conditions import NotAskedError, column

MYSQL = frozenset({"mysql", "mariadb"})

NO_TABLE = frozenset(
    {"oldest_transaction", "foreign_keys_on", "sql_mode", "time_zone", "exists", "type_exists"}
    | {"tables"}
)
"""Questions for which no table has to be there."""

_SMALL_BYTES = 8 * 1024 * 1024
"""A table up to this size is counted: its statistics may be old, and counting is quick."""

_UTC = frozenset({"UTC", "ETC/UTC", "GMT", "ETC/GMT", "ZULU", "UCT", "GMT0", "+00:00"})

Answer = dict[str, Any]


def _named(names: Iterable[str]) -> Answer:
    found = sorted(set(names))
    return {"count": len(found), "names": found[:20]}


def _name(connection: Any) -> str:
    name = str(connection.dialect.name)
    return "mysql" if name in MYSQL else name


def _of(connection: Any, asked: dict[str, Any], queries: dict[str, str], **more: Any) -> list[Any]:
    query = queries.get(_name(connection))
    if query is None:
        raise NotAskedError(f"it is not asked of {connection.dialect.name}")
    values = {**_place(connection, asked), **more}
    used = {k: v for k, v in values.items() if re.search(rf"(?<!:):{k}\b", query)}
    return connection.execute(sa.text(query), used).fetchall()


def _place(connection: Any, asked: dict[str, Any]) -> dict[str, Any]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = [n for n in (asked.get("schema"), asked["table"]) if n]
    return {
        "place": ".".join(map(quote, names)),
        "table": asked["table"],
        "schema": asked.get("schema"),
        "column": asked.get("column"),
        "name": asked.get("name"),
    }


_SIZE = {
    "postgresql": "SELECT reltuples::bigint, pg_total_relation_size(oid), pg_relation_size(oid), "
    "relkind::text FROM pg_class WHERE oid = to_regclass(:place)",
    "mysql": "SELECT table_rows, data_length + index_length, data_length, 'r' "
    "FROM information_schema.tables "
    "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table",
}


def size(connection: Any, asked: dict[str, Any], bound: int) -> Answer:
    """Rows as the server estimates them, and bytes; a small table is counted."""
    if _name(connection) not in _SIZE:
        return counting.count(connection, {**asked, "probe": "rows"}, bound)
    ((rows, total, heap, kind),) = _of(connection, asked, _SIZE)
    known = rows is not None and rows > 0 and kind == "r"
    if known and heap > _SMALL_BYTES:
        return {"count": int(rows or 0), "bytes": int(total or 0)}
    counted = counting.count(connection, {**asked, "probe": "rows"}, bound)
    return {**counted, "bytes": int(total or 0)}


def highest(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """The largest number; 0 for an empty table."""
    table = sa.table(asked["table"], schema=asked.get("schema"))
    found: Any = connection.execute(
        sa.select(sa.func.max(column(asked["column"]))).select_from(table)
    ).scalar()
    return {"count": max(int(found or 0), 0)}


_TRANSACTIONS = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM max(now() - xact_start))::bigint, "
    "count(*) FILTER (WHERE query = '<insufficient privilege>') FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0 "
    "FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()",
}


def oldest_transaction(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Seconds since the oldest transaction of another session began; 0 where there is none."""
    ((seconds, hidden),) = _of(connection, asked, _TRANSACTIONS)
    if seconds is None and hidden:
        raise NotAskedError(f"{hidden} sessions of other users are hidden from this one")
    return {"count": max(int(seconds or 0), 0), "at_least": bool(hidden)}


_DEPENDENTS = {
    "postgresql": """SELECT DISTINCT CASE WHEN v.oid IS NULL
            THEN pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE CASE v.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || v.relname
            END
        FROM pg_depend d
        LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class v ON v.oid = r.ev_class
        LEFT JOIN pg_attrdef g ON d.classid = 'pg_attrdef'::regclass AND g.oid = d.objid
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(:place)
        AND (CAST(:column AS text) IS NULL OR a.attname = :column)
        AND (v.oid IS NOT NULL AND v.oid <> d.refobjid
            OR CAST(:column AS text) IS NOT NULL AND (
                d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass) AND d.deptype = 'n'
                OR g.oid IS NOT NULL AND g.adnum <> d.refobjsubid))"""
}


def dependents(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Views on the table, or on its column; of a column also policies, triggers, generated ones."""
    if _name(connection) == "sqlite":
        return _named(inside_sqlite.views(connection, asked["table"], asked.get("column")))
    return _named(str(name) for (name,) in _of(connection, asked, _DEPENDENTS))


_INCOMING = {
    "postgresql": """SELECT c.relname, string_agg(a.attname, ', ' ORDER BY x.n),
            k.confdeltype::text, string_agg(f.attname, ',' ORDER BY x.n)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS x(here, there, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.here
        JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = x.there
        WHERE k.contype = 'f' AND k.confrelid = to_regclass(:place) AND k.conrelid <> k.confrelid
        GROUP BY k.oid, c.relname, k.confdeltype""",
    "mysql": """SELECT k.table_name, GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position),
            r.delete_rule, GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position)
        FROM information_schema.key_column_usage k
        JOIN information_schema.referential_constraints r
        ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
        AND r.table_name = k.table_name
        WHERE k.referenced_table_schema = COALESCE(:schema, DATABASE())
        AND k.referenced_table_name = :table AND k.table_name <> :table
        GROUP BY k.table_name, k.constraint_name, r.delete_rule""",
}

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def incoming(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Foreign keys of other tables to this one (or to its column), with what a delete does."""
    if _name(connection) == "sqlite":
        rows = inside_sqlite.incoming(connection, asked["table"])
    else:
        rows = [tuple(map(str, row)) for row in _of(connection, asked, _INCOMING)]
    wanted = asked.get("column")
    return _named(
        f"{table}.{columns} ON DELETE {_ACTIONS.get(action, action)}"
        for table, columns, action, there in rows
        if wanted is None or wanted in there.split(",")
    )


_TRIGGERS = {
    "postgresql": "SELECT tgname FROM pg_trigger "
    "WHERE tgrelid = to_regclass(:place) AND NOT tgisinternal AND tgenabled <> 'D'",
    "mysql": "SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = "
    "COALESCE(:schema, DATABASE()) AND event_object_table = :table",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table",
}


def triggers(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Triggers on the table, as far as they are switched on."""
    return _named(str(name) for (name,) in _of(connection, asked, _TRIGGERS))


def foreign_keys_on(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Whether SQLite enforces foreign keys on the migration's own connection."""
    ((on,),) = _of(connection, asked, {"sqlite": "PRAGMA foreign_keys"})
    return {"count": int(on)}


def lost_on_recreate(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """What is on the table that SQLite's batch mode does not carry over."""
    if _name(connection) != "sqlite":
        raise NotAskedError("only SQLite recreates tables")
    return _named(inside_sqlite.lost(connection, asked["table"]))


def sql_mode(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Whether the session refuses what does not fit."""
    ((mode,),) = _of(connection, asked, {"mysql": "SELECT @@SESSION.sql_mode"})
    strict = re.search(r"\b(STRICT_TRANS_TABLES|STRICT_ALL_TABLES|TRADITIONAL)\b", str(mode))
    return {"count": int(strict is not None), "names": [str(mode)]}


_INVALID = {
    "postgresql": "SELECT indexrelid::regclass::text FROM pg_index "
    "WHERE indrelid = to_regclass(:place) AND NOT indisvalid"
}


def invalid_indexes(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Indexes that a failed CREATE INDEX CONCURRENTLY left."""
    return _named(str(name) for (name,) in _of(connection, asked, _INVALID))


def time_zone(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Whether the session's zone is another one than UTC."""
    zone = {"postgresql": "SELECT current_setting('TimeZone')"}
    ((name,),) = _of(connection, asked, zone)
    return {"count": int(str(name).upper() not in _UTC), "names": [str(name)]}


def attributes(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """What the column has beside its type."""
    inspector: Any = sa.inspect(connection)
    listed = inspector.get_columns(asked["table"], schema=asked.get("schema"))
    found = next(c for c in listed if c["name"] == asked["column"])
    default = found.get("default")
    told = {
        "NOT NULL": not found["nullable"],
        f"DEFAULT {default}": default is not None and str(default).upper() != "NULL",
        "AUTO_INCREMENT": found.get("autoincrement") is True,
        "COMMENT": bool(found.get("comment")),
        "IDENTITY": bool(found.get("identity")),
        "GENERATED": bool(found.get("computed")),
    }
    return {"count": sum(told.values()), "names": [name for name, has in told.items() if has]}


def exists(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Whether there is such a table."""
    inspector: Any = sa.inspect(connection)
    return {"count": int(inspector.has_table(asked["table"], schema=asked.get("schema")))}


def tables(connection: Any, _: dict[str, Any], __: int) -> Answer:
    """How many tables there are in the default schema, alembic's own left out."""
    inspector: Any = sa.inspect(connection)
    return {"count": len({*inspector.get_table_names()} - {"alembic_version"})}


_TYPES = {"postgresql": "SELECT count(to_regtype(:place))"}


def type_exists(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Whether there is such a type."""
    ((found,),) = _of(connection, {**asked, "table": asked["name"]}, _TYPES)
    return {"count": int(found)}


def needed_by_key(connection: Any, asked: dict[str, Any], _: int) -> Answer:
    """Foreign keys (of the table, or to it) that have no other index than this one to rest on."""
    if _name(connection) != "mysql":
        raise NotAskedError("only MySQL and MariaDB need an index for a foreign key")
    inspector: Any = sa.inspect(connection)
    table, schema = asked["table"], asked.get("schema")
    indexes = {i["name"]: list(i["column_names"]) for i in inspector.get_indexes(table, schema)}
    dropped = indexes.pop(asked["name"], None)
    if dropped is None:
        raise NotAskedError("no such index")
    primary = list(inspector.get_pk_constraint(table, schema).get("constrained_columns") or [])
    others = [*indexes.values(), primary]
    keys = inspector.get_foreign_keys(table, schema=schema)
    return _named(
        str(k["name"])
        for k in keys
        if _leads(dropped, k["constrained_columns"])
        and not any(_leads(o, k["constrained_columns"]) for o in others)
    )


def _leads(index: list[str], key: list[str]) -> bool:
    return index[: len(key)] == list(key)


_EMPTIED = {
    "postgresql": """WITH RECURSIVE emptied(oid) AS (
            SELECT to_regclass(:place)::oid
            UNION SELECT k.conrelid FROM pg_constraint k
            JOIN emptied e ON k.confrelid = e.oid WHERE k.contype = 'f')
        SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) FROM emptied e
        JOIN pg_class c ON c.oid = e.oid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid <> to_regclass(:place) AND NOT c.relispartition"""
}


def emptied_too(connection: Any, asked: dict[str, Any], bound: int) -> Answer:
    """Tables that refer to this one, directly or through others, with their rows."""
    return _named(
        f"{table if visible else f'{schema}.{table}'}: {_rows(connection, schema, table, bound)}"
        for schema, table, visible in _of(connection, asked, _EMPTIED)
    )


def _rows(connection: Any, schema: str, table: str, bound: int) -> str:
    counted = counting.count(connection, {"probe": "rows", "table": table, "schema": schema}, bound)
    if not counted["count"]:
        return "no rows"
    return f"{'more than ' if counted['at_least'] else ''}{counted['count']} rows"


LOOKS: dict[str, Callable[[Any, dict[str, Any], int], Answer]] = {
    look.__name__: look
    for look in (
        size,
        highest,
        oldest_transaction,
        dependents,
        incoming,
        triggers,
        foreign_keys_on,
        lost_on_recreate,
        sql_mode,
        invalid_indexes,
        time_zone,
        attributes,
        exists,
        tables,
        type_exists,
        needed_by_key,
        emptied_too,
    )
}
