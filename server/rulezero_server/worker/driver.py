"""A driver without a database: what is asked of it goes to whoever listens."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol


class Listener(Protocol):
    """Who hears what a cursor is asked."""

    def execute(self, cursor: Any, statement: str, parameters: Any) -> None:
        """One statement."""
        ...

    def execute_many(self, cursor: Any, statement: str, sets: Any) -> None:
        """One statement with many sets of values."""
        ...

    def unknown(self, name: str, *args: Any, **kwargs: Any) -> None:
        """A method of the driver's own."""
        ...


_ENDINGS = frozenset(
    {"begin", "close", "commit", "detach", "invalidate", "nextset", "ping", "reset"}
    | {"reset_schema_state", "rollback", "setinputsizes", "setoutputsize", "terminate"}
)


class DriverError(Exception):
    """Stands for the errors of a driver that is not there."""


def nothing(*_: Any, **__: Any) -> None:
    """A transaction here has nothing to begin or to end."""


def _driver(sink: Listener, name: str) -> Any:
    """A driver's own method: one that ends or sets something, or one that might do anything."""
    if name.startswith("_"):
        raise AttributeError(name)
    return nothing if name in _ENDINGS else partial(sink.unknown, name)


class Cursor:
    """A DBAPI cursor over an answer that was given, not fetched."""

    arraysize = 1

    def __init__(self, sink: Listener, connection: Raw) -> None:
        self._sink = sink
        self.connection = connection
        self._real: Any = None
        self._rows: Iterator[Any] = iter(())
        self._on_fetch: Callable[[], None] | None = None
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: Any = None

    def answer(
        self, labels: list[str], rows: list[Any], on_fetch: Callable[[], None] | None = None
    ) -> None:
        """Give these rows, and call `on_fetch` once somebody asks for them."""
        self.description = [(label, None, None, None, None, None, None) for label in labels]
        self._rows, self._on_fetch = iter(rows), on_fetch

    def pass_on(self, real: Any) -> None:
        """Give what a real cursor gives."""
        self._real, self.description = real, real.description

    def execute(self, statement: Any, parameters: Any = None, *_: Any, **__: Any) -> Cursor:
        """Code that goes down to the driver ends here too."""
        self._sink.execute(self, str(statement), parameters)
        return self

    def executemany(self, statement: Any, parameters: Any = (), *_: Any, **__: Any) -> Cursor:
        """One statement, many values."""
        self._sink.execute_many(self, str(statement), list(parameters))
        return self

    def executescript(self, script: Any) -> Cursor:
        """SQLite's way to execute several statements."""
        return self.execute(script)

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(iter(self._fetch()), None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        limit = self.arraysize if size is None else size
        return list(itertools.islice(iter(self._fetch()), limit))

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        return list(self._fetch())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fetch())

    def _fetch(self) -> Iterable[Any]:
        if self._on_fetch is not None:
            self._on_fetch()
        return iter(self._real.fetchone, None) if self._real is not None else self._rows

    def close(self) -> None:
        """Close the real cursor, if there is one."""
        if self._real is not None:
            self._real.close()

    def __getattr__(self, name: str) -> Any:
        """What drivers offer beside that."""
        return _driver(self._sink, name)


class Raw:
    """A DBAPI connection without a database."""

    autocommit = False
    isolation_level = None
    is_valid = True

    def __init__(self, sink: Listener) -> None:
        self._sink = sink
        self.info: dict[Any, Any] = {}
        self.notices: list[Any] = []
        self.dbapi_connection = self.connection = self.driver_connection = self

    def cursor(self, *_: Any, **__: Any) -> Cursor:
        """A new cursor, whatever kind was asked for."""
        return Cursor(self._sink, self)

    def execute(self, *args: Any) -> Cursor:
        """The short way that some drivers have."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Cursor:
        """The short way that some drivers have."""
        return self.cursor().executemany(*args)

    def executescript(self, script: Any) -> Cursor:
        """SQLite's short way."""
        return self.execute(script)

    def __getattr__(self, name: str) -> Any:
        """What drivers offer beside that."""
        return _driver(self._sink, name)
