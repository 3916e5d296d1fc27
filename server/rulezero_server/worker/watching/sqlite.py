"""What SQLite's own schema table shows of a statement: tables made anew, indexes built.

A table that is made anew, whatever way, lies on another page than it did; batch mode's last
statement is what gives the copy the table's name. SQLite locks no less than the whole database, and
tells nobody about it: its locks are not seen.
"""

from __future__ import annotations

from typing import Any

_MASTER = "SELECT type, name, rootpage FROM main.sqlite_master WHERE rootpage > 0"

_OURS = ("sqlite_", "_alembic_tmp_")
"""What SQLite, and batch mode, name themselves."""


class Watch:
    """Looks at one connection; the schema is read again only when it has changed."""

    def __init__(self, connection: Any) -> None:
        """Nothing is known yet, and nothing is asked."""
        del connection
        self._version: Any = None
        self._tables: dict[str, int] = {}
        self._indexes: dict[str, int] = {}
        self._moves = False

    def before(self, connection: Any, statement: str) -> Any:
        """Read the schema, if it is not known as it stands."""
        version = _ask(connection, "PRAGMA main.schema_version")[0][0]
        if version != self._version:
            self._read(connection, version)
        return connection, statement

    def after(self, state: Any) -> dict[str, Any]:
        """What lies elsewhere than it did, among what is named if others may be moved for room."""
        connection, statement = state
        version = _ask(connection, "PRAGMA main.schema_version")[0][0]
        if version == self._version:
            return {"locks": None}
        tables, indexes = dict(self._tables), dict(self._indexes)
        self._read(connection, version)
        rewrites = [n for n, page in self._tables.items() if tables.get(n, page) != page]
        builds = [n for n, page in self._indexes.items() if indexes.get(n) != page]
        if self._moves and "vacuum" not in statement.lower():
            rewrites = [name for name in rewrites if name.lower() in statement.lower()]
            builds = [name for name in builds if name not in indexes]
        # A table that is gone is still known: it may come back under its name.
        self._tables = {**tables, **self._tables}
        return {"locks": None, "rewrites": sorted(rewrites), "builds": sorted(builds)}

    def _read(self, connection: Any, version: Any) -> None:
        rows = [row for row in _ask(connection, _MASTER) if not row[1].startswith(_OURS)]
        self._tables = {name: page for kind, name, page in rows if kind == "table"}
        self._indexes = {name: page for kind, name, page in rows if kind == "index"}
        self._version = version
        self._moves = _ask(connection, "PRAGMA main.auto_vacuum")[0][0] != 0


def _ask(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
