"""What SQLite says of its own database: rows that refer to nothing, and what is not intact."""

from __future__ import annotations

from collections import Counter
from typing import Any

_MOST = 20
"""Lines that are told."""


def broken(connection: Any) -> list[str]:
    """What foreign key and integrity checks complain about, a line each; no value of a row.

    Args:
        connection: SQLAlchemy's; on another database than SQLite nothing is asked.
    """
    if connection.dialect.name != "sqlite":
        return []
    return [*_foreign_keys(connection), *_integrity(connection)][:_MOST]


def _foreign_keys(connection: Any) -> list[str]:
    try:
        rows = _ask(connection, "PRAGMA foreign_key_check")
    except Exception as error:  # noqa: BLE001 - a key that refers to nothing unique is an error here
        return [f"the foreign keys cannot be checked: {error}"]
    counted = Counter((row[0], row[2]) for row in rows)
    return [
        f"{count} {'row' if count == 1 else 'rows'} of {table} refer to rows of {parent} "
        "that are not there"
        for (table, parent), count in sorted(counted.items())
    ]


def _integrity(connection: Any) -> list[str]:
    found = [str(row[0]) for row in _ask(connection, f"PRAGMA integrity_check({_MOST})")]
    return [line for line in found if line != "ok"]


def _ask(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
