"""SQLite's own schema table, as things.

Facts: https://www.sqlite.org/lang_createtable.html; measured with SQLite 3.40.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from . import ddl
from .sql import joined, words

_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"

_KEPT = 20_000
"""Texts that are not read again: most are the same at every turn of a rehearsal."""

_SAME_TYPES = (
    (
        re.compile(r"(?:TINY|MEDIUM)?INT[28]?(?:\(\d+\))?|INTEGER\(\d+\)|UNSIGNED BIG INT"),
        "INTEGER",
    ),
    (re.compile(r"(?P<kept>BIGINT|SMALLINT|FLOAT|DATETIME|TIMESTAMP|TIME)\(\d+\)"), r"\g<kept>"),
    (re.compile(r"CLOB|(?:MEDIUM|LONG)TEXT"), "TEXT"),
    (re.compile(r"BOOL"), "BOOLEAN"),
    (re.compile(r"DOUBLE PRECISION"), "REAL"),
    (re.compile(r"DEC(?P<size>\(.*)?"), r"NUMERIC\g<size>"),
)
"""Types that SQLAlchemy writes as another one when a table is copied, and SQLite treats alike."""

_DEFAULTS = {"current_timestamp", "current_date", "current_time", "true", "false", "null"}


def things(ask: Any) -> Iterator[dict[str, Any]]:
    """What stands in the main schema.

    Args:
        ask: Sends a query, and returns its rows.
    """
    rows = ask(_MASTER)
    keys = _keys(rows)
    for kind, name, owner, sql in rows:
        if name.startswith("sqlite_"):
            continue
        if kind == "table":
            yield from _table(name, sql, keys)
        elif kind == "index":
            yield {"kind": "index", "name": name, "table": owner, "definition": _index(sql)}
        else:
            table = owner if kind == "trigger" else ""
            yield {"kind": kind, "name": name, "table": table, "definition": _plain(sql)}


def _keys(rows: list[Any]) -> dict[str, str]:
    """The primary key of each table: a foreign key may leave out what it refers to."""
    found: dict[str, str] = {}
    for kind, name, _owner, sql in rows:
        if kind == "table" and (read := _read(sql)) is not None:
            keys = [c.columns for c in read.constraints if c.kind == "PRIMARY KEY"]
            found[name.lower()] = keys[0] if keys else ""
    return found


@functools.lru_cache(maxsize=_KEPT)
def _read(sql: str) -> ddl.Table | None:
    try:
        return ddl.table(sql)
    except (ValueError, IndexError):
        return None


def _table(name: str, sql: str, keys: dict[str, str]) -> Iterator[dict[str, Any]]:
    read = _read(sql)
    if read is None:
        yield {"kind": "table", "name": name, "definition": _plain(sql)}
        return
    yield {"kind": "table", "name": name, "definition": f"table {read.options}".strip()}
    rowid = _is_rowid(read, keys.get(name.lower(), ""))
    for position, column in enumerate(read.columns, 1):
        yield {
            "kind": "column",
            "name": column.name,
            "table": name,
            "definition": _column(column, is_rowid=column.name.lower() == rowid),
            "position": position,
        }
    for constraint in read.constraints:
        yield {"kind": "constraint", "table": name, **_constraint(constraint, keys)}


def _is_rowid(read: ddl.Table, key: str) -> str:
    """The column that is the row's number: it is never NULL, whether that is said or not."""
    types = {c.name.lower(): c.type for c in read.columns}
    plain = types.get(key) == "INTEGER" and "WITHOUT ROWID" not in read.options
    return key if plain else ""


def _column(column: ddl.Column, *, is_rowid: bool) -> str:
    parts = [_kind(column.type), column.rest]
    if column.not_null or is_rowid:
        parts.append("NOT NULL")
    if column.default is not None and column.default != "null":
        known = column.default in _DEFAULTS
        parts.append(f"DEFAULT {column.default.upper() if known else column.default}")
    return " ".join(part for part in parts if part)


@functools.lru_cache(maxsize=_KEPT)
def _kind(declared: str) -> str:
    for pattern, same in _SAME_TYPES:
        found = pattern.fullmatch(declared)
        if found:
            return found.expand(same)
    return declared


def _constraint(constraint: ddl.Constraint, keys: dict[str, str]) -> dict[str, Any]:
    definition = constraint.definition
    if constraint.kind == "FOREIGN KEY":
        definition = _with_columns(definition, keys)
    # The name of a primary key is used by nothing.
    named = constraint.name if constraint.kind != "PRIMARY KEY" else None
    return {"name": named or _unnamed(constraint), "definition": definition}


def _unnamed(constraint: ddl.Constraint) -> str:
    if constraint.kind == "PRIMARY KEY":
        return constraint.kind
    columns = f"{constraint.kind} ({constraint.columns})"
    return columns if constraint.columns else constraint.definition


def _with_columns(definition: str, keys: dict[str, str]) -> str:
    head, _, there = definition.partition(" REFERENCES ")
    table, space, rest = there.partition(" ")
    if rest.startswith("(") or not keys.get(table):
        return definition
    return f"{head} REFERENCES {table} ({keys[table]}){space}{rest}"


@functools.lru_cache(maxsize=_KEPT)
def _index(sql: str) -> str:
    found = words(sql)
    start = next(n for n, word in enumerate(found) if word == "on" and not word.quoted)
    unique = "UNIQUE " if any(w == "unique" and not w.quoted for w in found[:start]) else ""
    return f"{unique}INDEX {joined(found[start + 2 :])}"


@functools.lru_cache(maxsize=_KEPT)
def _plain(sql: str) -> str:
    return joined([word for word in words(sql) if word.quoted or word != ";"])
