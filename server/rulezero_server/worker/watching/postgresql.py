"""What PostgreSQL shows of a statement: locks held, tables written anew, indexes built.

A new file of a table or an index gets a number that is higher than all before it, and so does a new
table: numbers that rose are all that has to be looked for. Locks of one transaction are kept until
it ends, so that those a statement took are those that were not held after the one before it.

Facts: https://www.postgresql.org/docs/current/view-pg-locks.html, measured with PostgreSQL 18.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

_FILES = """SELECT coalesce(max(greatest(oid, relfilenode)), 16383)::bigint
    FROM pg_catalog.pg_class WHERE oid >= 16384"""

_NAMES = """SELECT c.oid::bigint, CASE WHEN n.nspname = current_schema() THEN ''
        ELSE n.nspname || '.' END || c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid > {known} AND c.relkind IN ('r', 'p', 'f', 'i', 'I', 'm', 'v', 'S')
    AND left(n.nspname, 3) <> 'pg_'"""

_LOOK = """SELECT (SELECT concat_ws(',', max(l.virtualtransaction), string_agg(
            l.relation::text || ' ' || l.mode, ',') FILTER (WHERE l.locktype = 'relation'
            AND l.relation BETWEEN 16384 AND {horizon}))
        FROM pg_catalog.pg_locks l WHERE l.pid = pg_backend_pid() AND l.granted),
    (SELECT json_agg(json_build_array(c.oid::bigint, c.relfilenode::bigint, c.relkind, i.indrelid,
            CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END || c.relname))
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
        WHERE c.relfilenode > {file} AND left(n.nspname, 3) <> 'pg_')::text"""

_CONTROL = re.compile(
    r"\s*(commit|begin|start|end|abort|set|reset|show|savepoint|release|rollback(?!.*\bto\b))\b",
    re.IGNORECASE | re.DOTALL,
)
_RENAME = re.compile(r"\brename\b|\bset\s+schema\b", re.IGNORECASE)
_TRUNCATE = re.compile(r"\s*truncate\b", re.IGNORECASE)
_NEW_TABLE = re.compile(
    r"\s*create\s+(?:(?:unlogged|global|local|temp(?:orary)?)\s+)*table\s+(?:if\s+not\s+exists\s+)?"
    r"(?P<name>[\w.\"$]+)\s*\(",
    re.IGNORECASE,
)
_TOUCHES = re.compile(r"\b(inherits|like|partition|select|execute)\b", re.IGNORECASE)
_REFERS = re.compile(r"\breferences\s+(?P<name>[\w.\"$]+)", re.IGNORECASE)
_PLAIN = re.compile(r"\s*(drop\s+(table|index)|create\s+table)\b", re.IGNORECASE)

MANY = 500
"""Locks of one transaction that are too many to be read after every statement."""
_NEW_INDEX = re.compile(
    r"\s*create\s+(?:unique\s+)?index\s+(?:if\s+not\s+exists\s+)?(?:[\w.\"$]+\s+)?on\s+"
    r"(?P<name>[\w.\"$]+)",
    re.IGNORECASE,
)


class _State(NamedTuple):
    connection: Any
    statement: str
    is_looked_at: bool


class Watch:
    """Looks at one connection. What a transaction made itself, nobody else can wait for."""

    def __init__(self, connection: Any) -> None:
        """Nothing is known yet, and nothing is asked."""
        del connection
        self._file = self._horizon = 0
        self._names: dict[int, str] = {}
        self._held: frozenset[str] = frozenset()
        self._transaction: Any = None
        self._number: str | None = None
        self._made: set[str] = set()
        self._renamed = False

    def before(self, connection: Any, statement: str) -> _State | None:
        """See to what is known; nothing is asked within a transaction that was seen before."""
        if _CONTROL.match(statement):
            return None
        if not self._file:
            ((self._file,),) = _ask(connection, _FILES)
        transaction = connection.get_transaction()
        if transaction is not self._transaction or transaction is None:
            self._begin(connection, transaction)
        self._renamed |= _RENAME.search(statement) is not None
        if self._is_new(statement):
            return None
        looks = len(self._held) < MANY or _PLAIN.match(statement) is None
        return _State(connection, statement, looks)

    def _begin(self, connection: Any, transaction: Any) -> None:
        if self._renamed:
            self._names, self._renamed = {}, False
        known = max(self._names, default=16383)
        self._names.update(_ask(connection, _NAMES.replace("{known}", str(known))))
        self._horizon = max(self._names, default=16383)
        self._transaction, self._number = transaction, None
        self._held, self._made = frozenset(), set()

    def _is_new(self, statement: str) -> bool:
        """Whether it only makes a table, or an index of a table that this transaction made."""
        made = _NEW_TABLE.match(statement)
        if made and not _TOUCHES.search(statement):
            self._made.add(made["name"])
            return self._made.issuperset(_REFERS.findall(statement))
        index = _NEW_INDEX.match(statement)
        return index is not None and index["name"] in self._made

    def after(self, state: _State) -> dict[str, Any]:
        """What rose, and what is held now and was not."""
        if not state.is_looked_at:
            return {"locks": None}
        query = _LOOK.replace("{horizon}", str(self._horizon)).replace("{file}", str(self._file))
        ((locks, files),) = _ask(state.connection, query)
        truncates = _TRUNCATE.match(state.statement) is not None
        said = self._written(json.loads(files or "[]"), truncates=truncates)
        return {"locks": self._locks(state.connection, locks), **said}

    def _locks(self, connection: Any, said: str) -> list[dict[str, str]] | None:
        number, *held = said.split(",")
        inside = self._number in {None, number} and not _commits_each(connection)
        self._number, before, self._held = number, self._held, frozenset(held)
        if not inside:
            return None
        taken = (lock.split(" ") for lock in self._held - before)
        named = ((self._names.get(int(oid), ""), mode) for oid, mode in taken)
        return [{"relation": name, "mode": mode} for name, mode in sorted(named) if name]

    def _written(self, found: list[Any], *, truncates: bool) -> dict[str, Any]:
        last = self._file
        self._file = max([last, *(max(oid, file) for oid, file, *_ in found)])
        rewrites = [name for oid, _, kind, __, name in found if oid <= last and kind in {"r", "m"}]
        builds = [name for _, __, kind, of, name in found if kind == "i" and int(of) <= last]
        if truncates:
            return {"rewrites": [], "builds": []}
        return {"rewrites": sorted(rewrites), "builds": sorted(builds)}


def _commits_each(connection: Any) -> bool:
    raw = connection.connection.dbapi_connection
    return getattr(raw, "autocommit", False) is True


def _ask(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
