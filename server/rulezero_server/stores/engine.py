"""Connections to the store: short-lived, durable, one writer at a time where it matters."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from rulezero_policies.errors import StoreFailed
from rulezero_server import places

BUSY_SECONDS = 30
"""How long one process waits for another that is writing."""


def open_engine(where: str | Path | None) -> Engine:
    """The engine for a file, a URL, or the default file.

    Raises:
        StoreFailed: The URL is none of ours, or the file cannot be made.
    """
    url = _url(where)
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url, poolclass=NullPool)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A transaction that reads.

    Raises:
        StoreFailed: The database fails.
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, alone_in: Table | None = None) -> Generator[Connection]:
    """A transaction that writes.

    Args:
        engine: The store's.
        alone_in: A table that nobody else writes to meanwhile, for a read that a write rests on.

    Raises:
        StoreFailed: The database fails.
    """
    options = engine.execution_options(rulezero_immediate=True)
    with _translated(), options.begin() as connection:
        if alone_in is not None and engine.dialect.name == "postgresql":
            connection.execute(text(f"LOCK TABLE {alone_in.name} IN EXCLUSIVE MODE"))
        yield connection


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreFailed(reason=_reason(error)) from error


def _reason(error: SQLAlchemyError) -> str:
    """SQLite's own words; of a server only the kind of error, for its words name users."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause) if isinstance(cause, sqlite3.Error) else type(cause).__name__


def _url(where: str | Path | None) -> URL:
    if isinstance(where, str):
        return _checked(where)
    return _file(where)


def _checked(said: str) -> URL:
    try:
        url = make_url(said)
    except ArgumentError:
        raise StoreFailed(reason="its URL cannot be read") from None
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return _file(Path(url.database))
    reason = f"{url.drivername!r} is neither a SQLite file nor PostgreSQL"
    raise StoreFailed(reason=reason)


def _file(path: Path | None) -> URL:
    try:
        file = places.private_file(path or places.store_path())
    except OSError as error:
        raise StoreFailed(reason=str(error)) from error
    return URL.create("sqlite", database=str(file))


def _prepare_sqlite(connection: Any, _: object) -> None:
    # SQLAlchemy's "begin" says how to begin; the driver must not begin by itself.
    connection.isolation_level = None
    # A spent token must stay spent through a power cut: EXTRA syncs the folder as well.
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("PRAGMA fullfsync = ON")


def _prepare_postgresql(connection: Any, _: object) -> None:
    connection.autocommit = True
    connection.execute("SET synchronous_commit TO on")
    connection.execute("SET timezone TO 'UTC'")
    connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    alone = connection.get_execution_options().get("rulezero_immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if alone else "BEGIN")
