"""What stands in SQLite's own schema table, where no inspector tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_OUTSIDE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHECK = re.compile(r"(?P<named>\bCONSTRAINT\s+\S+\s+)?\bCHECK\s*\(", re.IGNORECASE)

_OPTIONS = {
    "sqlite_strict": "STRICT",
    "sqlite_with_rowid": "WITHOUT ROWID",
    "sqlite_autoincrement": "AUTOINCREMENT",
}

_MANY = 1000

_LOST = {
    "AUTOINCREMENT": re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE),
    "a collation": re.compile(r"\bCOLLATE\b", re.IGNORECASE),
    "WITHOUT ROWID": re.compile(r"\bWITHOUT\s+ROWID\s*(?:,\s*STRICT\s*)?$", re.IGNORECASE),
    "STRICT": re.compile(r"\)\s*(?:WITHOUT\s+ROWID\s*,\s*)?STRICT\s*$", re.IGNORECASE),
}


def _master(connection: Any) -> list[tuple[str, str, str, str]]:
    return [tuple(row) for row in connection.execute(sa.text(_MASTER))]


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def views(connection: Any, table: str, column: str | None) -> Iterator[str]:
    """Views and triggers elsewhere whose text names the table, and the column where one is asked.

    A `*` stands for every column.
    """
    for kind, name, owner, sql in _master(connection):
        elsewhere = kind == "view" or (kind == "trigger" and owner != table)
        names_it = column is None or _mentions(sql, column) or "*" in sql
        if elsewhere and _mentions(sql, table) and names_it:
            yield f"{kind} {name}"


def incoming(connection: Any, table: str) -> list[tuple[str, str, str, str]]:
    """Foreign keys of other tables to this one: table, columns, action, referred columns."""
    found: list[tuple[str, str, str, str]] = []
    for kind, name, _, __ in _master(connection):
        if kind != "table" or name == table:
            continue
        quoted = name.replace('"', '""')
        for row in connection.execute(sa.text(f'PRAGMA foreign_key_list("{quoted}")')).fetchall():
            if str(row[2]).lower() == table.lower():
                action = f"{row[6]}: {_rows(connection, name, str(row[3]))}"
                found.append((name, str(row[3]), action, str(row[4] or "")))
    return found


def _rows(connection: Any, table: str, column: str) -> str:
    """How many rows refer to anything; where there are many it is enough to know that."""
    place = sa.table(table, sa.column(column))
    some: Any = sa.select(place).where(sa.column(column).isnot(None)).limit(_MANY + 1)
    count = connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar()
    if not count:
        return "no rows"
    return f"more than {_MANY} rows" if count > _MANY else f"{count} rows"


def lost(connection: Any, table: str) -> Iterator[str]:
    """What `ALTER TABLE` by copying forgets, as alembic's batch mode copies."""
    for kind, name, owner, sql in _master(connection):
        if owner != table:
            continue
        bare = _OUTSIDE.sub("''", sql)
        if kind == "trigger":
            yield f"trigger {name}"
        elif kind == "index" and _is_expression(connection, name):
            yield f"expression index {name}"
        elif kind == "table":
            kept = _reflected(connection, table)
            lost = (w for w, pattern in _LOST.items() if pattern.search(bare.strip()))
            yield from (what for what in lost if what not in kept)
            if any(not m["named"] for m in _CHECK.finditer(bare)):
                yield "an unnamed CHECK"


def _reflected(connection: Any, table: str) -> set[str]:
    """What this version of SQLAlchemy carries over: newer ones reflect a table's options."""
    inspector: Any = sa.inspect(connection)
    try:
        options: dict[str, Any] = inspector.get_table_options(table)
    except (AttributeError, NotImplementedError):  # SQLAlchemy 1.4 has no such question
        return set()
    return {what for option, what in _OPTIONS.items() if option in options}


def _is_expression(connection: Any, index: str) -> bool:
    quoted = index.replace('"', '""')
    rows = connection.execute(sa.text(f'PRAGMA index_info("{quoted}")')).fetchall()
    return any(row[2] is None for row in rows)
