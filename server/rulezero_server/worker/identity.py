"""Which database this is, by what the server itself says, and a hash of its schema."""

from __future__ import annotations

import hashlib
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
    host, port = _address(connection)
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


def _address(connection: Any) -> tuple[str | None, int | None]:
    """Where the driver went: its own word first, then the URL, then the server's."""
    url = connection.engine.url
    raw = _driver_connection(connection)
    info = getattr(raw, "info", None)
    socket = url.query.get("unix_socket") or getattr(raw, "unix_socket", None)
    host = getattr(info, "host", None) or url.host or url.query.get("host") or socket
    port = getattr(info, "port", None) or url.port or url.query.get("port")
    if not host and connection.dialect.name == "postgresql":
        host = connection.scalar(text("SELECT host(inet_server_addr())"))
    first = str(host).strip("()'").partition("'")[0] if host else None
    return first, (int(str(port)) if port and not socket else None)


def _driver_connection(connection: Any) -> Any:
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
