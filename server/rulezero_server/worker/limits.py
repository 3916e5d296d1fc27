"""What a question may cost: a server ends it, or SQLite looks at the clock."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa

_EVERY = 10_000
"""SQLite's steps between two looks at the clock."""


class NoTimeError(Exception):
    """All questions together took as long as they may."""


class Budget:
    """The seconds that one question, and all of them together, may take."""

    def __init__(self, each: float, total: float) -> None:
        """Start the clock."""
        self._each = each
        self._end = time.monotonic() + total

    @property
    def seconds(self) -> float:
        """What the next question may take.

        Raises:
            NoTimeError: Nothing is left.
        """
        left = min(self._each, self._end - time.monotonic())
        if left <= 0:
            raise NoTimeError("no time was left for it")
        return max(left, 0.05)


@contextmanager
def limited(connection: Any, seconds: float) -> Generator[None, None, None]:
    """Have the server end a question that takes too long, and leave the session usable after."""
    with ExitStack() as stack:
        dialect = connection.dialect
        if dialect.name == "postgresql":
            if connection.get_isolation_level() != "AUTOCOMMIT":
                stack.enter_context(connection.begin_nested())
            _set(connection, f"SET statement_timeout = {int(seconds * 1000)}")
        elif getattr(dialect, "is_mariadb", False):
            _set(connection, f"SET SESSION max_statement_time = {seconds}")
        elif dialect.name == "mysql":
            _set(connection, f"SET SESSION max_execution_time = {int(seconds * 1000)}")
        elif dialect.name == "sqlite":
            stack.enter_context(_sqlite_limit(connection, seconds))
        yield


def _set(connection: Any, statement: str) -> None:
    connection.execute(sa.text(statement))


@contextmanager
def _sqlite_limit(connection: Any, seconds: float) -> Generator[None, None, None]:
    raw = getattr(connection.connection, "dbapi_connection", connection.connection)
    handler = getattr(raw, "set_progress_handler", None)
    if handler is None:  # an asyncio driver keeps its connection on a thread of its own
        yield
        return
    end = time.monotonic() + seconds
    handler(lambda: int(time.monotonic() > end), _EVERY)
    try:
        yield
    finally:
        handler(None, 0)
