"""Stores: what is remembered, in SQLite or PostgreSQL.

`open_store` costs nothing until the store is used: SQLAlchemy is imported with the first call.
"""

from pathlib import Path
from threading import Lock
from typing import cast

from rulezero_tools.ports import Store


class _Later:
    """Makes the store when the first of its methods is looked up."""

    def __init__(self, where: str | Path | None) -> None:
        self._where = where
        self._lock = Lock()
        self._store: Store | None = None

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        with self._lock:
            if self._store is None:
                from rulezero_server.stores.sql import SqlStore  # noqa: PLC0415

                self._store = SqlStore(self._where)
        return getattr(self._store, name)


def open_store(where: str | Path | None = None) -> Store:
    """A store that opens itself when it is first used.

    Args:
        where: A file for SQLite, a `sqlite:///` or `postgresql://` URL, or None for the default
            file in the state folder.

    Returns:
        The store. Each of its methods may raise `StoreFailed`.
    """
    return cast("Store", _Later(where))
