"""Which transaction a statement ran in, and whether that was committed: as the driver says it."""

from __future__ import annotations

import re
from typing import Any

from . import identity, statements

_ENDS = re.compile(
    r"\s*(?:commit|end|rollback|abort)\b(?!\s+(?:work\s+|transaction\s+)?to\b)", re.I
)
_TAKES_BACK = re.compile(r"\s*(?:rollback|abort)\b", re.I)

_COMMITS = re.compile(
    r"\s*(?:(?:alter|create(?!\s+temporary)|drop(?!\s+temporary)|rename|truncate|grant|revoke)\b"
    r"|(?:analyze|optimize|repair|lock|unlock)\s+tables?\b|begin\b|start\s+transaction\b)",
    re.I,
)
"""What commits by itself on MySQL and MariaDB (MariaDB's "SQL statements that cause an implicit
commit", https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/)."""

_CHANGES = re.compile(r"\s*(?:insert|update|delete|replace)\b", re.I)

_IDLE, _IN_TRANSACTION = 0, 1
"""Libpq's PQTRANS_IDLE, and MySQL's SERVER_STATUS_IN_TRANS."""


class Transactions:
    """Numbers the transactions of a rehearsal."""

    def __init__(self) -> None:
        """There was none yet."""
        self._last = 0
        self._open: dict[int, int] = {}
        self.committed: set[int] = set()

    def ran(self, connection: Any, statement: str) -> int | None:
        """The number of the transaction that a statement ran in, once it ran; None for no one."""
        key, text = _key(connection), statements.bare(statement)
        if inside(connection, text):
            if key not in self._open:
                self._last += 1
                self._open[key] = self._last
            return self._open[key]
        ends = bool(_ENDS.match(text))
        number = self._open.get(key)
        self.ended(connection, committed=not _TAKES_BACK.match(text))
        return number if ends else None

    def ended(self, connection: Any, *, committed: bool) -> None:
        """Note that a connection's transaction has ended, if it had one."""
        number = self._open.pop(_key(connection), None)
        if number is not None and committed:
            self.committed.add(number)


def _key(connection: Any) -> int:
    return id(identity.driver_connection(connection))


def inside(connection: Any, statement: str) -> bool:
    """Whether a connection is in a transaction, after a statement that was sent over it."""
    raw: Any = identity.driver_connection(connection)
    name = connection.dialect.name
    if name == "sqlite":
        return bool(getattr(raw, "_conn", raw).in_transaction)
    if name == "postgresql":
        return _libpq(raw)
    return _mysql(raw, statement)


def _mysql(raw: Any, statement: str) -> bool:
    """PyMySQL's status is that of before the statement where it gives rows (RETURNING)."""
    status = getattr(raw, "server_status", None)
    if isinstance(status, int) and (status & _IN_TRANSACTION or not _CHANGES.match(statement)):
        return bool(status & _IN_TRANSACTION)
    alone = bool(raw.get_autocommit()) if hasattr(raw, "get_autocommit") else False
    return not (alone or _COMMITS.match(statement) or _ENDS.match(statement))


def _libpq(raw: Any) -> bool:
    info = getattr(raw, "info", None)
    if info is not None:
        return int(info.transaction_status) != _IDLE
    if hasattr(raw, "is_in_transaction"):  # asyncpg
        return bool(raw.is_in_transaction())
    return bool(getattr(raw, "_in_transaction", True))  # pg8000
