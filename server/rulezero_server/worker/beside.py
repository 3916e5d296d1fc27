"""A run of one database of several leaves the others as they are: their connections only read.

Env.py connects to all of them, and begins and ends a transaction on each. Every connection of a
pool is asked which database it leads to when it is made; one that leads elsewhere can only read,
and a statement that would lift that is refused.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from . import commits, lifting, sqlite
from .readonly import MAKE_READ_ONLY

_PG_SERVER = """SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database
    WHERE datname = current_database()"""

_WHERE = {
    "postgresql": (
        "SELECT current_database()",
        _PG_SERVER,
    ),
    "mariadb": ("SELECT database()", "SELECT concat(@@server_uid, '/', database())"),
    "mysql": ("SELECT database()", "SELECT concat(@@server_uuid, '/', database())"),
}
"""How a server tells a database's name, and its own identity; `identity` says the same of them."""

_FAMILY = {"postgresql": "postgresql", "mariadb": "mysql", "mysql": "mysql", "sqlite": "sqlite"}


class OneDatabase:
    """The one database that may be written to."""

    def __init__(self, approved: dict[str, Any]) -> None:
        """`approved` is its identity, as it was approved."""
        self._approved = approved

    def install(self) -> None:
        """From now on; to be called before anything of the project is loaded."""
        event.listen(Pool, "connect", self._connected)
        event.listen(Engine, "before_cursor_execute", self._said)

    def _connected(self, raw: Any, record: Any) -> None:
        if not self._is_it(raw):
            _only_read(raw)
            record.info[_READS] = True

    def _is_it(self, raw: Any) -> bool:
        family, dialect = commits.family(raw), self._approved["dialect"]
        if family != _FAMILY.get(dialect):
            return False
        if family == "sqlite":
            return _is_file(raw, self._approved)
        name, server = _WHERE[dialect]
        if str(_ask(raw, name)) != str(self._approved["name"]):
            return False
        known = self._approved["server_id"]
        return known is None or str(_ask(raw, server)) == known

    def _said(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.info.get(_READS):
            lifting.check(statement)


_READS = "rulezero only reads"


def _is_file(raw: Any, approved: dict[str, Any]) -> bool:
    cursor = raw.cursor()
    cursor.execute("PRAGMA database_list")
    path = next((row[2] for row in cursor.fetchall() if row[1] == "main"), "")
    cursor.close()
    if not path:  # in memory: it is nobody's
        return True
    found = os.stat(path)  # noqa: PTH116 - as identity has it
    number = f"{found.st_dev}:{found.st_ino}"
    return os.path.realpath(path) == approved["name"] or number == approved["server_id"]


def _ask(raw: Any, statement: str) -> Any:
    """The answer; None where this account may not ask."""
    try:
        return commits.ask(raw, statement)
    except Exception:  # noqa: BLE001 - whatever a driver raises, it is then not known to be the one
        return None
    finally:
        raw.rollback()


def _only_read(raw: Any) -> None:
    family = commits.family(raw)
    cursor = raw.cursor()
    cursor.execute(MAKE_READ_ONLY.get(family or "", "PRAGMA query_only = ON"))
    cursor.close()
    # The setting would be lost with the transaction in which some drivers send it.
    raw.commit()
    authorizer = getattr(raw, "set_authorizer", None)
    if authorizer is not None:
        authorizer(sqlite.reading)
