"""What MariaDB and MySQL show of a statement: how a table is altered, and which locks are kept.

They say nothing of how they altered a table, so the same is tried on an empty clone: the best
algorithm that it accepts is the one that the server takes by itself. The clone is made where the
statement would commit the transaction anyway. It has no foreign keys, so that nothing is said where
they could matter. MariaDB's NOCOPY is refused where the table has to be written anew; MySQL has no
word for that.

Facts: https://mariadb.com/kb/en/innodb-online-ddl-overview/, measured on MariaDB 10.11.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..listing.sql import (  # noqa: TID252 - the worker runs under another package name
    Word,
    parted,
    words,
)

CLONE = "rulezero_clone"
"""What the empty table is called for as long as it is there."""

_NAME = r"(?P<table>(?:`[^`]+`|\w+)(?:\s*\.\s*(?:`[^`]+`|\w+))?)"
_ALTER = re.compile(
    rf"\s*alter\s+(?:online\s+|ignore\s+)*table\s+(?:if\s+exists\s+)?{_NAME}\s+(?P<actions>.*?)"
    r";?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_CREATE_INDEX = re.compile(
    r"\s*create\s+(?P<kind>(?:unique\s+|fulltext\s+|spatial\s+)?index)\s+"
    rf"(?P<index>`[^`]+`|\w+)\s+on\s+{_NAME}\s*(?P<columns>\(.*?);?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DROP_INDEX = re.compile(
    rf"\s*drop\s+index\s+(?P<index>`[^`]+`|\w+)\s+on\s+{_NAME}\s*;?\s*$", re.IGNORECASE
)
_DDL = re.compile(
    r"\s*(alter|create|drop|rename|truncate|optimize|analyze|repair|grant|revoke|lock)\b",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(r"\s*(create|drop)\s+temporary\b", re.IGNORECASE)
_ASKED_FOR = re.compile(r",?\s*\balgorithm\s*=?\s*(?P<algorithm>\w+)\s*,?", re.IGNORECASE)

_FIRST = frozenset(
    {"add", "drop", "modify", "change", "alter", "rename", "comment", "convert", "engine", "force"}
    | {"row_format", "character", "collate", "default", "auto_increment", "key_block_size", "lock"}
)
_ELSEWHERE = frozenset(
    {"foreign", "references", "partition", "system", "period", "tablespace", "to", "as"}
)
"""Words of changes that reach beyond the table, or that the clone cannot show."""

_RENAMED = frozenset({"column", "index", "key"})
_REFUSED = frozenset({1845, 1846})

_INDEXES = """SELECT DISTINCT index_name FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = '{table}'"""

_KEYS = """SELECT count(*) FROM information_schema.key_column_usage
    WHERE (table_schema = database() AND table_name = '{table}'
        AND referenced_table_name IS NOT NULL)
    OR (referenced_table_schema = database() AND referenced_table_name = '{table}')"""

_LOCKS = """SELECT table_name, lock_mode FROM information_schema.metadata_lock_info
    WHERE thread_id = connection_id() AND table_schema = database()"""


class _Change(NamedTuple):
    """A change of one table, as ALTER TABLE would have it."""

    table: str
    actions: str
    asked: str | None

    @property
    def name(self) -> str:
        """The table without quotes and schema."""
        return words(self.table)[-1].raw


class _State(NamedTuple):
    connection: Any
    commits: bool
    change: _Change | None = None
    algorithm: str | None = None
    indexes: frozenset[str] = frozenset()


class Watch:
    """Looks at one connection."""

    def __init__(self, connection: Any) -> None:
        """Nothing is known yet, and nothing is asked."""
        self._is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
        self._shows_locks = True
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._transaction: Any = None

    def before(self, connection: Any, statement: str) -> _State:
        """Try a change of a table on its clone."""
        transaction = connection.get_transaction()
        if transaction is not self._transaction:
            self._transaction, self._held = transaction, frozenset()
        commits = _DDL.match(statement) is not None and not _TEMPORARY.match(statement)
        change = _change(statement) if commits else None
        if change is None:
            return _State(connection, commits)
        indexes = _indexes(connection, change.name)
        return _State(connection, commits, change, self._tried(connection, change), indexes)

    def _tried(self, connection: Any, change: _Change) -> str | None:
        if change.asked == "COPY":
            return "COPY"
        if not _is_of_the_table_alone(connection, change):
            return None
        steps = ("INSTANT", "NOCOPY", "INPLACE") if self._is_mariadb else ("INSTANT", "INPLACE")
        _run(connection, f"CREATE TABLE {CLONE} LIKE {change.table}")
        try:
            accepted = (s for s in steps if _accepts(connection, change, s))
            return next(accepted, "COPY")
        except Exception:  # noqa: BLE001 - whatever a driver raises, the clone does not tell
            return None
        finally:
            _run(connection, f"DROP TABLE {CLONE}")

    def after(self, state: _State) -> dict[str, Any]:
        """What is known by now, and the locks that are kept."""
        if state.change is None:
            return {"locks": self._locks(state)}
        algorithm = state.algorithm
        written = algorithm == "COPY" or (algorithm == "INPLACE" and self._is_mariadb)
        now = _indexes(state.connection, state.change.name)
        return {
            "locks": self._locks(state),
            "algorithm": algorithm,
            "rewrites": [state.change.name] if written else [],
            "builds": sorted(now if written else now - state.indexes),
        }

    def _locks(self, state: _State) -> list[dict[str, str]] | None:
        """A statement that commits has given its locks back; others need a plugin to show."""
        if state.commits or not self._shows_locks:
            self._held = frozenset()
            return None
        try:
            held = frozenset((str(t), str(m)) for t, m in _ask(state.connection, _LOCKS))
        except Exception:  # noqa: BLE001 - the plugin is not there, or may not be read
            self._shows_locks = False
            return None
        taken, self._held = held - self._held, held
        return [{"relation": name, "mode": mode} for name, mode in sorted(taken)]


def _change(statement: str) -> _Change | None:
    """The change that a statement makes of one table, if it is one that can be tried."""
    if "\\" in statement:  # an escape, which other databases do not have
        return None
    found = _ALTER.match(statement)
    actions = found["actions"] if found else ""
    if found is None and (found := _CREATE_INDEX.match(statement)):
        actions = f"ADD {found['kind']} {found['index']} {found['columns']}"
    if found is None and (found := _DROP_INDEX.match(statement)):
        actions = f"DROP INDEX {found['index']}"
    if found is None:
        return None
    asked = _ASKED_FOR.search(actions)
    kept = _ASKED_FOR.sub(",", actions).strip(", ")
    if not all(map(_may_be_tried, parted(words(kept)))):
        return None
    return _Change(found["table"], kept, asked["algorithm"].upper() if asked else None)


def _may_be_tried(action: list[Word]) -> bool:
    said = [str(word) for word in action if not word.quoted]
    if not action or action[0].quoted or action[0] not in _FIRST:
        return False
    if action[0] == "rename":
        return action[1] in _RENAMED
    if action[0] == "convert":
        return "partition" not in said
    return _ELSEWHERE.isdisjoint(said)


def _is_of_the_table_alone(connection: Any, change: _Change) -> bool:
    """Whether no foreign key has a say: adding to a table is no concern of theirs."""
    if all(action[0] == "add" for action in parted(words(change.actions))):
        return True
    ((keys,),) = _ask(connection, _KEYS.replace("{table}", _literal(change.name)))
    return not keys


def _accepts(connection: Any, change: _Change, algorithm: str) -> bool:
    try:
        _run(connection, f"ALTER TABLE {CLONE} {change.actions}, ALGORITHM={algorithm}")
    except Exception as error:
        if error.args and error.args[0] in _REFUSED:
            return False
        raise
    return True


def _indexes(connection: Any, table: str) -> frozenset[str]:
    rows = _ask(connection, _INDEXES.replace("{table}", _literal(table)))
    return frozenset(str(name) for (name,) in rows)


def _literal(name: str) -> str:
    return name.replace("'", "''")


def _ask(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


def _run(connection: Any, statement: str) -> None:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()
