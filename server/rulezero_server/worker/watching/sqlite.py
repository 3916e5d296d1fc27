"""What SQLite's own schema table shows of a statement: tables made anew, indexes built.

A table that is made anew, whatever way, lies on another page than it did; batch mode's last
statement is what gives the copy the table's name. SQLite locks no less than the whole database, and
tells nobody about it: its locks are not seen.
"""

from __future__ import annotations

import re
from typing import Any

_MASTER = "SELECT type, name, rootpage, tbl_name FROM main.sqlite_master WHERE rootpage > 0"
_NAMED = f"{_MASTER} AND (name COLLATE NOCASE IN ({{0}}) OR tbl_name COLLATE NOCASE IN ({{0}}))"

_NAME = re.compile(r"\"((?:[^\"]|\"\")+)\"|`([^`]+)`|\[([^\]]+)\]|([^\W\d][\w$]*)")
"""Whatever may be a name in a statement."""

_MANY = 200
"""Names up to which only what is named is read again."""

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
        self._owners: dict[str, str] = {}
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
        seen_tables, seen_indexes = self._again(connection, version, statement)
        rewrites = [n for n, page in seen_tables.items() if tables.get(n, page) != page]
        builds = [n for n, page in seen_indexes.items() if indexes.get(n) != page]
        if self._moves and "vacuum" not in statement.lower():
            rewrites = [name for name in rewrites if name.lower() in statement.lower()]
            builds = [name for name in builds if name not in indexes]
        # A table that is gone is still known: it may come back under its name.
        self._tables = {**tables, **self._tables}
        return {"locks": None, "rewrites": sorted(rewrites), "builds": sorted(builds)}

    def _again(
        self, connection: Any, version: Any, statement: str
    ) -> tuple[dict[str, int], dict[str, int]]:
        """The tables and indexes that the statement may have moved; all of them where any may be.

        Reading a large schema after each of its statements would cost more than they do.
        """
        names = sorted({"".join(found).lower() for found in _NAME.findall(statement)})
        if self._moves or "vacuum" in names or len(names) > _MANY:
            self._read(connection, version)
            return self._tables, self._indexes
        marks = ", ".join("?" * len(names))
        rows = _seen(connection, _NAMED.format(marks), (*names, *names))
        for index in [i for i, t in self._owners.items() if {i.lower(), t.lower()} & {*names}]:
            self._indexes.pop(index, None)
            self._owners.pop(index)
        self._version = version
        return self._keep(rows)

    def _read(self, connection: Any, version: Any) -> None:
        self._tables, self._indexes, self._owners = {}, {}, {}
        self._keep(_seen(connection, _MASTER))
        self._version = version
        self._moves = _ask(connection, "PRAGMA main.auto_vacuum")[0][0] != 0

    def _keep(self, rows: list[tuple[Any, ...]]) -> tuple[dict[str, int], dict[str, int]]:
        tables = {name: page for kind, name, page, _ in rows if kind == "table"}
        indexes = {name: page for kind, name, page, _ in rows if kind == "index"}
        self._tables.update(tables)
        self._indexes.update(indexes)
        self._owners.update({name: table for kind, name, _, table in rows if kind == "index"})
        return tables, indexes


def _seen(connection: Any, query: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    return [row for row in _ask(connection, query, values) if not row[1].startswith(_OURS)]


def _ask(connection: Any, query: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query, values)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
