"""Which database this is, by what the server itself says, and a hash of its schema."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from . import catalogue


def identity(connection: Any) -> dict[str, Any]:
    """The identity as `policies.plan.DatabaseIdentity` has it."""
    kind = dialect(connection)
    if kind == "sqlite":
        return _sqlite(connection)
    host, port = address(connection)
    name = connection.scalar(text("SELECT " + _NAME[connection.dialect.name]))
    return {
        "dialect": kind,
        "host": host,
        "port": port,
        "name": name or "",
        "server_id": _server_id(connection, name) if kind in _SERVER_ID else None,
    }


def dialect(connection: Any) -> str:
    """The database's name as people use it: MariaDB is not MySQL."""
    if getattr(connection.dialect, "is_mariadb", False):
        return "mariadb"
    return str(connection.dialect.name)


def version(connection: Any) -> str:
    """What the server says its version is."""
    if connection.dialect.name == "sqlite":
        return sqlite3.sqlite_version
    asked = "SHOW server_version" if connection.dialect.name == "postgresql" else "SELECT version()"
    return str(connection.scalar(text(asked)))


def fingerprint(connection: Any, version_table: tuple[str | None, str]) -> str | None:
    """SHA-256 over what the catalogue says, Alembic's version table left out.

    Args:
        connection: An open connection.
        version_table: Its schema (None for the default one) and its name.

    Returns:
        None for a dialect whose catalogue is not known here.
    """
    rows = catalogue.rows(connection, version_table)
    if rows is None:
        return None
    shown = json.dumps(sorted([str(v) for v in row] for row in rows), separators=(",", ":"))
    return hashlib.sha256(shown.encode()).hexdigest()


_NAME = {"postgresql": "current_database()", "mysql": "database()", "mariadb": "database()"}

_SERVER_ID = {
    "postgresql": "SELECT system_identifier FROM pg_control_system()",
    "mariadb": "SELECT @@server_uid",
    "mysql": "SELECT @@server_uuid",
}


def _server_id(connection: Any, name: str) -> str | None:
    """None where the server does not tell, or this account may not ask."""
    try:
        with connection.begin_nested():
            number = connection.scalar(text(_SERVER_ID[dialect(connection)]))
    except DBAPIError:
        return None
    if connection.dialect.name != "postgresql":
        return f"{number}/{name}"
    oid = "SELECT oid FROM pg_database WHERE datname = current_database()"
    return f"{number}/{connection.scalar(text(oid))}"


def address(connection: Any) -> tuple[str | None, int | None]:
    """Where the driver went: its own word first, then the URL, then the server's."""
    url = connection.engine.url
    raw = driver_connection(connection)
    info = getattr(raw, "info", None)
    socket = url.query.get("unix_socket") or getattr(raw, "unix_socket", None)
    host, port = _driven_to(raw, info)
    # What stands in the URL's query is handed to the driver last, and wins.
    host = host or url.query.get("host") or url.host or socket
    port = port or url.query.get("port") or url.port
    if not host and connection.dialect.name == "postgresql":
        host = connection.scalar(text("SELECT host(inet_server_addr())"))
    first = str(host).strip("()'").partition("'")[0] if host else None
    return _unhidden(first, info), (int(str(port)) if port and not socket else None)


def _driven_to(raw: Any, info: Any) -> tuple[Any, Any]:
    """Host and port as the driver remembers them: psycopg, asyncpg, PyMySQL, MySQL Connector."""
    if info is not None:
        return getattr(info, "host", None), getattr(info, "port", None)
    peer: Any = getattr(raw, "_addr", None)
    if peer is not None:
        return (str(peer[0]), peer[1]) if len(peer) == 2 else (None, None)
    if getattr(raw, "unix_socket", None):
        return None, None
    host = getattr(raw, "host", None) or getattr(raw, "server_host", None)
    return (host, getattr(raw, "port", None)) if isinstance(host, str) else (None, None)


def _unhidden(host: str | None, info: Any) -> str | None:
    """The address that libpq went to, where a name of this machine hides that it is elsewhere."""
    said: Any = getattr(info, "dsn_parameters", None) or {}
    reached = str(getattr(info, "hostaddr", None) or said.get("hostaddr") or "")
    if not reached or (host or "") not in _THIS_MACHINE:
        return host
    try:
        return host if ipaddress.ip_address(reached).is_loopback else reached
    except ValueError:
        return reached


_THIS_MACHINE = frozenset({"", "localhost", "127.0.0.1", "::1"})


def driver_connection(connection: Any) -> Any:
    """The driver's own connection under SQLAlchemy's."""
    pooled = connection.connection
    return getattr(pooled, "driver_connection", None) or getattr(pooled, "dbapi_connection", None)


def _sqlite(connection: Any) -> dict[str, Any]:
    path = _sqlite_path(connection.engine.url.database or ":memory:")
    found = Path(path).stat() if Path(path).is_file() else None
    return {
        "dialect": "sqlite",
        "host": None,
        "port": None,
        "name": path,
        "server_id": f"{found.st_dev}:{found.st_ino}" if found else None,
    }


def _sqlite_path(database: str) -> str:
    if database.startswith("file:"):
        database = unquote(database[len("file:") :].partition("?")[0])
    return database if database == ":memory:" else os.path.realpath(database)
