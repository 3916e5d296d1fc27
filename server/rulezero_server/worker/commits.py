"""Whether a transaction is open, by what the driver and the server say, not by what is assumed."""

from __future__ import annotations

import re
from typing import Any

_FAMILIES = (
    ("postgresql", ("psycopg", "pg8000", "asyncpg", "postgresql", "psycopg2")),
    ("mysql", ("mysql", "mariadb", "asyncmy")),
    ("sqlite", ("sqlite",)),
)

_MYSQL_DDL = re.compile(
    r"\s*(create|alter|drop|rename|truncate|analyze|optimize|repair|grant|revoke|lock|unlock)\b",
    re.IGNORECASE,
)
_DML = re.compile(r"\s*(insert|update|delete|replace)\b", re.IGNORECASE)

_IN_TRANSACTION = 1
"""The bit of a MySQL server's status that says so (SERVER_STATUS_IN_TRANS)."""

_ROLLED_BACK_WHOLE = frozenset({1213})
"""MySQL's errors after which the server has rolled the whole transaction back: a deadlock."""

_GONE = frozenset({2006, 2013, 2055, 4031, 1927, 1053, 1317})
"""MySQL's errors that mean the connection, or the statement, was killed."""


def family(raw: Any) -> str | None:
    """Which kind of database a driver's connection is to: postgresql, mysql, sqlite, or None."""
    module = type(raw).__module__.lower()
    found = (name for name, parts in _FAMILIES if any(part in module for part in parts))
    return next(found, None)


def driver_connection(connection: Any) -> Any:
    """What the DBAPI itself gave, under SQLAlchemy's pool (or its adapter of an asyncio driver)."""
    for name in ("dbapi_connection", "connection"):
        found = getattr(connection, name, None)
        if found is not None and hasattr(found, "cursor"):
            return found
    return connection


def ask(raw: Any, statement: str) -> Any:
    """The first value of a query's first row, past SQLAlchemy."""
    cursor = raw.cursor()
    try:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None
    finally:
        cursor.close()


def is_open(raw: Any) -> bool | None:
    """Whether a transaction is open now; None where the driver does not tell."""
    inner = getattr(raw, "driver_connection", raw)
    for known in (_by_sqlite, _by_psycopg, _by_asyncpg, _by_pymysql, _by_connector):
        told = known(inner)
        if told is not None:
            return told
    return None


def _by_sqlite(raw: Any) -> bool | None:
    told = getattr(raw, "in_transaction", None) if family(raw) == "sqlite" else None
    return told if isinstance(told, bool) else None


def _by_psycopg(raw: Any) -> bool | None:
    told = getattr(getattr(raw, "info", None), "transaction_status", None)
    # 0 is idle, 4 a connection that is gone.
    return None if told is None or int(told) == 4 else int(told) != 0


def _by_asyncpg(raw: Any) -> bool | None:
    asked = getattr(raw, "is_in_transaction", None)
    return bool(asked()) if asked else None


def _by_pymysql(raw: Any) -> bool | None:
    told = getattr(raw, "server_status", None)
    return bool(told & _IN_TRANSACTION) if isinstance(told, int) else None


def _by_connector(raw: Any) -> bool | None:
    told = getattr(raw, "in_transaction", None)
    return told if isinstance(told, bool) else None


def commits_itself(raw: Any, statement: str) -> bool | None:
    """Whether a statement that is about to be sent will be committed with its own end."""
    kind = family(raw)
    if kind == "sqlite":
        level = getattr(raw, "isolation_level", "")
        return is_open(raw) is False and (level is None or not _DML.match(statement))
    if kind == "mysql":
        return bool(_MYSQL_DDL.match(statement)) or (_commits_all(raw) and not is_open(raw))
    mode = getattr(raw, "autocommit", None)
    return mode if isinstance(mode, bool) else None


def left_by(raw: Any, statement: str = "") -> str:
    """What a statement that went through left: "open", "committed" or "unknown"."""
    if family(raw) == "mysql" and _DML.match(statement) and not _commits_all(raw):
        # PyMySQL's status is that of before the statement where it gives rows (RETURNING).
        return "open"
    return {True: "open", False: "committed", None: "unknown"}[is_open(raw)]


def _commits_all(raw: Any) -> bool:
    mode = getattr(raw, "get_autocommit", None)
    return bool(mode and mode())


_MARK = "rulezero_before"


def mark(raw: Any, statement: str) -> bool:
    """Before DDL on MySQL: a savepoint in the open transaction, which a commit takes away.

    DDL that fails has committed what came before it, unless it was not even understood; and the
    server says in both cases that a transaction is open. Whether the mark is left tells.
    """
    if family(raw) != "mysql" or not _MYSQL_DDL.match(statement) or is_open(raw) is False:
        return False
    return _went_through(raw, f"SAVEPOINT {_MARK}")


def _went_through(raw: Any, statement: str) -> bool:
    cursor = raw.cursor()
    try:
        cursor.execute(statement)
    except Exception:  # noqa: BLE001 - whatever a driver raises
        return False
    else:
        return True
    finally:
        cursor.close()


def left_by_failure(raw: Any, error: Any, *, marked: bool = False) -> str:
    """What became of the statements before one that failed, in its transaction.

    `marked` is whether `mark` set its mark before the statement.

    "open", "committed", "rolled back" or "unknown"; "rolled back" also where the connection is
    gone, for no server keeps what nobody can commit any more.
    """
    if family(raw) != "mysql":
        told = is_open(raw)
        return "open" if told else "rolled back"
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    code = arguments[0] if arguments else None
    if code in _GONE:
        return "unknown"
    if marked:
        return "open" if _went_through(raw, f"RELEASE SAVEPOINT {_MARK}") else "committed"
    if code in _ROLLED_BACK_WHOLE:
        return "rolled back"
    try:
        # MySQL tells its status with every answer but an error.
        ask(raw, "SELECT 1")
    except Exception:  # noqa: BLE001 - whatever a driver raises for a lost connection
        return "unknown"
    return left_by(raw)


def left_by_commit(raw: Any) -> str:
    """What a commit that failed left: "open", "rolled back", or "unknown" if nobody answers."""
    if family(raw) == "mysql":
        try:
            ask(raw, "SELECT 1")
        except Exception:  # noqa: BLE001 - whatever a driver raises for a lost connection
            return "unknown"
    return {True: "open", False: "rolled back", None: "unknown"}[is_open(raw)]


_SESSION = {
    "postgresql": "SELECT pid || ' ' || extract(epoch FROM backend_start) FROM pg_stat_activity"
    " WHERE pid = pg_backend_pid()",
    "mysql": "SELECT CONNECTION_ID()",
}


def session(raw: Any) -> str | None:
    """By what the server knows this connection, so that it can be asked for later."""
    query = _SESSION.get(family(raw) or "")
    return str(ask(raw, query)) if query else None


def number(raw: Any) -> str | None:
    """PostgreSQL's number of the open transaction, by which its fate can be asked later."""
    if family(raw) != "postgresql" or not is_open(raw):
        return None
    try:
        found = ask(raw, "SELECT txid_current_if_assigned()")
    except Exception:  # noqa: BLE001 - a transaction that failed answers nothing
        return None
    return None if found is None else str(found)
