"""One run at a time for one database, also between machines: the database itself holds the lock."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import text

from . import commits, identity, journal, lockfile, noting

PRODUCT = "rulezero"

_PG_KEY = "SELECT oid FROM pg_database WHERE datname = current_database()"
_PG_HELD = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :high AND objid::bigint = :low"
)


class BusyError(Exception):
    """Somebody else migrates this database, or writes to it, right now."""


class Lock:
    """The lock of one database, kept until `close`, or the end of the process."""

    def __init__(self, folder: str | None, seconds: float) -> None:
        """SQLite's lock files lie in `folder`; `seconds` is how long to wait for other writers."""
        self._folder = folder
        self._seconds = seconds
        self._held = False
        self._files: list[int] = []
        self._connection: Any = None

    def take(self, connection: Any, book: journal.Journal) -> None:
        """Take the lock of the database that `connection` is to; a second time is no time.

        Raises:
            BusyError: Another run holds it, or SQLite's file is being written.
        """
        if self._held:
            return
        kind = identity.dialect(connection)
        holder = {"sqlite": self._sqlite, "postgresql": self._postgresql}.get(kind, self._mysql)
        held = holder(connection, book) if kind in _KNOWN else None
        book.write("lock", held=held, kind=kind)
        if held is False:
            raise BusyError(f"another migration run holds the lock of {_name(connection)}")
        self._held = True

    def close(self) -> None:
        """Let the lock go; the end of the process does that too."""
        while self._files:
            os.close(self._files.pop())
        own, self._connection = self._connection, None
        if own is not None:
            # A pool would keep the session, and with it the lock.
            own.invalidate()
            own.close()

    def _sqlite(self, connection: Any, _book: journal.Journal) -> bool:
        path = identity.identity(connection)["name"]
        if path == ":memory:":
            return True
        names = _file_names(path) if self._folder else []
        for name in names:
            file = lockfile.hold(name_in(self._folder, name), wait=False)
            if file is None:
                return False
            self._files.append(file)
        if Path(path).is_file():
            _probe(path, self._seconds)
        return True

    def _postgresql(self, connection: Any, book: journal.Journal) -> bool:
        own = self._own(connection, book)
        oid = own.scalar(text(_PG_KEY))
        return bool(own.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _pg_key(oid)}))

    def _mysql(self, connection: Any, book: journal.Journal) -> bool:
        own = self._own(connection, book)
        name = _mysql_name(own.scalar(text("SELECT database()")))
        return own.scalar(text("SELECT GET_LOCK(:name, 0)"), {"name": name}) == 1

    def _own(self, connection: Any, book: journal.Journal) -> Any:
        """A connection for the lock alone; where the driver is asyncio's, the migration's own.

        An asyncio driver's connection belongs to a loop that env.py ends before the run does.
        """
        if connection.dialect.is_async:
            return connection
        own = connection.engine.connect()
        options = {"isolation_level": "AUTOCOMMIT", noting.OURS: True}
        self._connection = own = own.execution_options(**options)
        for statement in _KEEP.get(connection.dialect.name, ()):
            own.execute(text(statement))
        raw = commits.driver_connection(own.connection)
        family, session = commits.family(raw), commits.session(raw)
        book.write("session", c=0, family=family, id=session)
        return own


def inside(connection: Any) -> list[str]:
    """Statements by which another session takes the lock, or fails, where ours ends with env.py's.

    An asyncio driver's connection belongs to a loop that env.py ends.
    """
    if not connection.dialect.is_async:
        return []
    kind = identity.dialect(connection)
    if kind == "postgresql":
        # It waits as long as the session's lock_timeout says: ours may be just about to end.
        key = _pg_key(connection.scalar(text(_PG_KEY)))
        return [f"SELECT pg_catalog.pg_advisory_xact_lock({key})"]
    if kind in {"mysql", "mariadb"}:
        name = _mysql_name(connection.scalar(text("SELECT database()"))).replace("'", "''")
        # Two rows where one is wanted: an error, which is all that ends a client.
        return [f"SELECT IF(GET_LOCK('{name}', 2) = 1, 1, (SELECT 1 UNION SELECT 2))"]
    return []


_KNOWN = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})

_KEEP = {
    "mysql": ("SET SESSION wait_timeout = 2147483",),
    "mariadb": ("SET SESSION wait_timeout = 2147483",),
}
"""A connection that only holds a lock is idle for as long as the run takes."""


def is_held(connection: Any, folder: str | None) -> bool | None:
    """Whether some run holds the lock of this database; None where it cannot be asked."""
    kind = identity.dialect(connection)
    if kind == "sqlite":
        names = _file_names(identity.identity(connection)["name"]) if folder else []
        return any(lockfile.is_held(name_in(folder, name)) for name in names)
    if kind == "postgresql":
        key = _pg_key(connection.scalar(text(_PG_KEY))) & 0xFFFFFFFFFFFFFFFF
        halves = {"high": key >> 32, "low": key & 0xFFFFFFFF}
        return bool(connection.scalar(text(_PG_HELD), halves))
    if kind in {"mysql", "mariadb"}:
        name = _mysql_name(connection.scalar(text("SELECT database()")))
        return connection.scalar(text("SELECT IS_USED_LOCK(:name)"), {"name": name}) is not None
    return None


def _pg_key(oid: Any) -> int:
    digest = hashlib.sha256(f"{PRODUCT} migration {oid}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _mysql_name(database: Any) -> str:
    """At most 64 characters, which is all that a name of a lock may have."""
    name = f"{PRODUCT}:{database}"
    return name if len(name) <= 64 else f"{PRODUCT}:{_short(str(database))}"


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _file_names(path: str) -> list[str]:
    """By path, for a file that is made by the run, and by what the file is, under any name."""
    found = os.stat(path) if Path(path).exists() else None  # noqa: PTH116 - as identity has it
    both = [path, f"{found.st_dev}:{found.st_ino}" if found else None]
    return [f"{_short(name)}.lock" for name in both if name]


def name_in(folder: str | None, name: str) -> str:
    """The path of a lock file."""
    return str(Path(folder or "", name))


def _probe(path: str, seconds: float) -> None:
    """Whether anybody writes to the file now: found out before anything is done."""
    connection = sqlite3.connect(path, timeout=seconds)
    try:
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise BusyError(f"another process is writing to {Path(path).name}: {error}") from error
    finally:
        connection.close()


def _name(connection: Any) -> str:
    return str(identity.identity(connection)["name"])
