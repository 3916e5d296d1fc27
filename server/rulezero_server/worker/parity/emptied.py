"""A shadow without rows, and its counters at their start: as empty as a store in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

_KEPT = "alembic_version"


def empty(url: Any) -> None:
    """Remove every row but Alembic's own. Only for a database that was found to be a shadow.

    Args:
        url: SQLAlchemy's; it leads to the shadow.
    """
    if url.get_dialect().is_async:
        asyncio.run(_asynchronously(url))
        return
    engine = sa.create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        _empty(connection)


async def _asynchronously(url: Any) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        await connection.run_sync(_empty)


def _empty(connection: Any) -> None:
    quote = connection.dialect.identifier_preparer.quote
    names = [n for n in sa.inspect(connection).get_table_names() if n != _KEPT]
    if not names:
        return
    if connection.dialect.name == "postgresql":
        every = ", ".join(map(quote, names))
        _send(connection, f"TRUNCATE {every} RESTART IDENTITY CASCADE")
        return
    server = connection.dialect.name != "sqlite"
    if server:
        _send(connection, "SET FOREIGN_KEY_CHECKS = 0")
    for name in names:
        _send(connection, f"{'TRUNCATE TABLE' if server else 'DELETE FROM'} {quote(name)}")
    if not server and "sqlite_sequence" in _tables(connection):
        _send(connection, "DELETE FROM sqlite_sequence")


def _tables(connection: Any) -> set[str]:
    found = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'"))
    return {str(row[0]) for row in found}


def _send(connection: Any, statement: str) -> None:
    connection.execute(sa.text(statement))
