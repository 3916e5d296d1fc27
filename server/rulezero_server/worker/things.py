"""The catalogue of a database as things that can be compared, one by one.

What the database makes up itself (object numbers, names that nobody chose, counters, statistics)
does not stand in them, so that the same schema gives the same things however it came about.
"""

from __future__ import annotations

from typing import Any

from .listing import mariadb, postgresql, sqlite

_READERS = {
    "sqlite": sqlite.things,
    "postgresql": postgresql.things,
    "mysql": mariadb.things,
    "mariadb": mariadb.things,
}

_EMPTY: dict[str, Any] = {"schema": None, "table": "", "position": None}


def things(connection: Any, version_table: tuple[str | None, str]) -> list[dict[str, Any]]:
    """Everything there is but Alembic's own table, sorted, each shaped as `rehearsal.Thing`.

    Asked by a cursor of the driver, so that SQLAlchemy's events do not see it.

    Args:
        connection: SQLAlchemy's.
        version_table: Its schema (None for the default one) and its name.

    Raises:
        KeyError: The database is of a kind that is not known here.
    """
    reader = _READERS[connection.dialect.name]

    def ask(query: str) -> list[tuple[Any, ...]]:
        return _asked(connection, query)

    told = ({**_EMPTY, **thing} for thing in reader(ask))
    return sorted((t for t in told if not _is_of(t, version_table)), key=_order)


def _is_of(thing: dict[str, Any], table: tuple[str | None, str]) -> bool:
    """Whether it is this table, or belongs to it."""
    owner = thing["name"] if thing["kind"] == "table" else thing["table"]
    return owner == table[1] and thing["schema"] in {table[0], None}


def _order(thing: dict[str, Any]) -> tuple[Any, ...]:
    place = thing["position"] or 0
    named = (thing["schema"] or "", thing["table"], thing["kind"], place, thing["name"])
    return (*named, thing["definition"])


def _asked(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
