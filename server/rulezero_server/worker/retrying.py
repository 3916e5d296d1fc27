"""How long a run waits for locks and statements, and when it tries again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from . import commits

_NOT_GOT = frozenset({"55P03", "40P01", "40001", 1205, 1213, 5, 6, 261, 517, 773})
"""Lock time-outs and deadlocks: PostgreSQL's states, MySQL's codes, SQLite's busy and locked."""

LONGEST_PAUSE = 30.0
"""Seconds."""


class Limits:
    """`lock` and `statement` are seconds (None: as the session has it); `retries` a number."""

    def __init__(self, given: dict[str, Any] | None) -> None:
        """Take what the person's policy says; without any, nothing is limited or tried again."""
        given = given or {}
        self.lock: float | None = given.get("lock_timeout")
        self.statement: float | None = given.get("statement_timeout")
        self.retries: int = given.get("retries") or 0

    @property
    def patience(self) -> float:
        """Seconds to wait before anything is done, when nothing is lost by waiting."""
        return (self.lock or 5.0) * (1 + self.retries)

    def pause(self, attempt: int) -> float:
        """Seconds to wait after an attempt that got no lock: longer each time."""
        return min(LONGEST_PAUSE, max(0.05, (self.lock or 5.0) / 5) * 2 ** (attempt - 1))

    def prepare(self, raw: Any, _record: Any = None) -> None:
        """Limit a new connection, unless it is limited already: the project's own wish stands."""
        family = commits.family(raw)
        if family == "postgresql":
            _send(raw, self._postgresql(raw))
        elif family == "mysql":
            _send(raw, self._mysql(raw))
        elif family == "sqlite":
            _send(raw, self._sqlite())

    def _postgresql(self, raw: Any) -> Iterator[str]:
        for name, seconds in (("lock_timeout", self.lock), ("statement_timeout", self.statement)):
            if seconds and commits.ask(raw, f"SHOW {name}") == "0":
                yield f"SET {name} = {max(1, round(seconds * 1000))}"

    def _mysql(self, raw: Any) -> Iterator[str]:
        if self.lock:
            whole = max(1, round(self.lock))
            yield f"SET SESSION lock_wait_timeout = {whole}"
            yield f"SET SESSION innodb_lock_wait_timeout = {whole}"
        if self.statement and "MariaDB" in str(commits.ask(raw, "SELECT version()")):
            yield f"SET SESSION max_statement_time = {self.statement:g}"

    def _sqlite(self) -> Iterator[str]:
        if self.lock:
            yield f"PRAGMA busy_timeout = {max(1, round(self.lock * 1000))}"


def _send(raw: Any, statements: Iterator[str]) -> None:
    cursor = raw.cursor()
    try:
        for statement in list(statements):
            cursor.execute(statement)
    finally:
        cursor.close()
    # Some drivers have begun a transaction by now; with it the settings would be lost.
    raw.commit()


def is_lock_timeout(raised: BaseException) -> bool:
    """Whether a lock that was not got in time, or a deadlock, is behind an error."""
    seen: list[BaseException] = []
    link: BaseException | None = raised
    while link is not None and link not in seen:
        seen.append(link)
        original = getattr(link, "orig", None)
        if _says_so(link) or (isinstance(original, BaseException) and _says_so(original)):
            return True
        link = link.__cause__ or link.__context__
    return False


def _says_so(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    codes: tuple[Any, ...] = (
        state,
        getattr(error, "sqlite_errorcode", None),
        next(iter(error.args), None),
    )
    busy = "database is locked" in str(error) or "database table is locked" in str(error)
    driver = any(base.__name__ in {"Error", "DatabaseError"} for base in type(error).__mro__)
    return driver and (busy or any(code in _NOT_GOT for code in codes if _hashable(code)))


def _hashable(code: Any) -> bool:
    return isinstance(code, (str, int))


def wait(seconds: float) -> None:
    """Let whoever has the lock get done."""
    time.sleep(seconds)
