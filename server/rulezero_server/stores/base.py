"""What every part of the store stands on: its engine, and rows that are added or replaced."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from rulezero_server.stores.engine import open_engine
from rulezero_server.stores.schema import make_ready


class Base:
    """Opens the engine with the first use; threads and processes may share it."""

    def __init__(self, where: str | Path | None = None) -> None:
        """Nothing is opened yet.

        Args:
            where: A file for SQLite, a `sqlite:///` or `postgresql://` URL, or None for the
                default file in the state folder.
        """
        self._where = where
        self._lock = Lock()
        self._engine: Engine | None = None

    @property
    def _ready(self) -> Engine:
        """The engine, its tables made on first use."""
        with self._lock:
            if self._engine is None:
                engine = open_engine(self._where)
                make_ready(engine)
                self._engine = engine
            return self._engine


def inserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what happens when its key is there."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def add(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Insert `row` unless its key is there."""
    connection.execute(inserting(connection, table).values(row).on_conflict_do_nothing())


def put(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Insert `row`, or replace the one with its key."""
    statement = inserting(connection, table).values(row)
    key = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(row)))
