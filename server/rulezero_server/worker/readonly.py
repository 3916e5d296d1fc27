"""Every connection of the user's code is read-only, by its driver, until a run is asked for."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from . import errors, lifting, secrets, sqlite

PG_OPTION = "-c default_transaction_read_only=on"

_POSTGRESQL = ("psycopg", "pg8000", "asyncpg", "postgresql", "psycopg2")
_MYSQL = ("mysql", "mariadb", "asyncmy")
_SQLITE = ("sqlite",)

MAKE_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
}


def before_imports(databases: Any = None, way: Any = None) -> None:
    """What has to stand before anything of the user or of SQLAlchemy is imported.

    Args:
        databases: Is told of every SQLite file that is opened.
        way: In a rehearsal, what leads from the target's file to the shadow's.
    """
    given = os.environ.get("PGOPTIONS", "")
    os.environ["PGOPTIONS"] = f"{given} {PG_OPTION}".strip()
    sqlite.install(databases.file_opened if databases else None, way)


def after_imports(*, writable: bool, databases: Any = None) -> None:
    """Watch the engines; unless `writable`, make every session of every driver read-only.

    Args:
        writable: Whether this is a run, or a rehearsal.
        databases: Is told of every connection that is taken from a pool.
    """
    secrets.watch()
    if writable:
        return
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415
    from sqlalchemy.pool import Pool  # noqa: PLC0415

    event.listen(Pool, "connect", _on_connect)
    event.listen(Engine, "before_cursor_execute", _on_statement)
    if databases is not None:
        event.listen(Pool, "checkout", partial(_on_checkout, databases))


def _on_connect(connection: Any, _record: Any) -> None:
    dialect = _dialect(connection)
    if dialect == "sqlite":
        return
    cursor = connection.cursor()
    try:
        cursor.execute(MAKE_READ_ONLY[dialect])
    finally:
        cursor.close()
    # The setting would be lost with the transaction in which some drivers send it.
    connection.commit()


def _on_checkout(databases: Any, raw: Any, _record: Any, _proxy: Any) -> None:
    databases.checked_out(raw)


def _dialect(connection: Any) -> str:
    """Which database a driver's connection is to; an unknown driver is not let through."""
    module = type(connection).__module__.lower()
    for name, parts in (("postgresql", _POSTGRESQL), ("mysql", _MYSQL), ("sqlite", _SQLITE)):
        if any(part in module for part in parts):
            return name
    raise errors.Failure(
        "NoConnection",
        error=f"sessions of the driver {module.partition('.')[0]} cannot be made read-only",
        database=secrets.last_database(),
    )


def _on_statement(
    _connection: Any, _cursor: Any, statement: str, _params: Any, _context: Any, _many: Any
) -> None:
    lifting.check(statement)
