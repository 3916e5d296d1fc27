"""The SQL text with which a revision archives values and puts them back, per database."""

from __future__ import annotations

import re
from typing import Any, Optional

from . import elements

Place = tuple[Optional[str], str]

_PLAIN = re.compile(r"[\w .$-]+")
"""What `op.execute` carries as it is: a colon or a percent sign would be read as a parameter."""

_LENGTH = re.compile(r"(?:N?VARCHAR|N?CHAR)\((?P<length>\d+)\)", re.IGNORECASE)
_SCALE = re.compile(r"(?:NUMERIC|DECIMAL)\(\d+(?:,\s*(?P<scale>\d+))?\)", re.IGNORECASE)

_MYSQL = frozenset({"mysql", "mariadb"})

KNOWN = _MYSQL | {"postgresql", "sqlite"}
"""The dialects that archives are written for."""


def carried(*names: str | None) -> bool:
    """Whether SQL text in a revision can hold these names."""
    return all(name is None or _PLAIN.fullmatch(name) for name in names)


class Writer:
    """SQL for one dialect."""

    def __init__(self, dialect: Any) -> None:
        """Write as `dialect` quotes."""
        self._dialect = dialect
        self.mysql = dialect.name in _MYSQL
        self.postgresql = dialect.name == "postgresql"

    def name(self, name: str) -> str:
        """A name, quoted where it has to be."""
        return str(self._dialect.identifier_preparer.quote(name))

    def place(self, place: Place) -> str:
        """A table with its schema."""
        schema, table = place
        return f"{self.name(schema)}.{self.name(table)}" if schema else self.name(table)

    def names(self, names: list[str]) -> str:
        """Several names, with commas."""
        return ", ".join(map(self.name, names))

    def cut(self, column: str, type_: Any) -> str | None:
        """What `column` becomes as `type_`; None where the database's way is not known."""
        text = elements.type_text(type_, self._dialect)
        if not text or not re.fullmatch(r"[\w (),]+", text):
            return None
        if not self.mysql:
            return f"CAST({column} AS {text})"
        length, scale = _LENGTH.match(text), _SCALE.match(text)
        if length:
            return f"LEFT({column}, {length['length']})"
        return f"ROUND({column}, {scale['scale'] or 0})" if scale else None

    def copy(
        self, archive: Place, source: Place, keys: list[str], columns: list[str], where: str | None
    ) -> list[str]:
        """Copy the keys and columns of those rows into a new table, keyed alike."""
        # PostgreSQL's drop waits for everybody anyway: nobody writes between it and the copy.
        lock = f"LOCK TABLE {self.place(source)} IN ACCESS EXCLUSIVE MODE"
        key = f" (PRIMARY KEY ({self.names(keys)}))" if self.mysql and keys else ""
        chosen = f" WHERE {where}" if where else ""
        made = (
            f"CREATE TABLE {self.place(archive)}{key} AS SELECT {self.names([*keys, *columns])} "
            f"FROM {self.place(source)}{chosen}"
        )
        return [*([lock] if self.postgresql else []), made, *self._keyed(archive, keys)]

    def _keyed(self, archive: Place, keys: list[str]) -> list[str]:
        if not keys or self.mysql:
            return []
        if self.postgresql:
            return [f"ALTER TABLE {self.place(archive)} ADD PRIMARY KEY ({self.names(keys)})"]
        index = self.place((archive[0], f"{archive[1]}_key"))
        table = self.name(archive[1])
        return [f"CREATE UNIQUE INDEX {index} ON {table} ({self.names(keys)})"]

    def note(self, archive: Place, text: str) -> str | None:
        """Say on the archive what it is; None where tables have no comments."""
        told = "'" + text.replace("'", "''") + "'"
        if self.postgresql:
            return f"COMMENT ON TABLE {self.place(archive)} IS {told}"
        return f"ALTER TABLE {self.place(archive)} COMMENT = {told}" if self.mysql else None

    def fill(
        self,
        archive: Place,
        target: Place,
        keys: list[str],
        column: str,
        *,
        still: str | None = None,
        kept: tuple[str, ...] = (),
    ) -> str:
        """Put the archived values back by key.

        Args:
            archive: Where they are.
            target: Where they go.
            keys: The columns of the key, the same in both.
            column: The column of the values, the same in both.
            still: What an archived value was cut to: a row that has another value now keeps it.
            kept: Columns that the database would set with each UPDATE.
        """
        there, here, name = self.place(target), "archived", self.name(column)
        own = self.name(target[1]) if not self.mysql else "t"
        pairs = [f"{own}.{k} = {here}.{k}" for k in map(self.name, keys)]
        same = [f"{own}.{name} = {still}"] if still else []
        match = " AND ".join((*pairs, *same))
        source = f"{self.place(archive)} AS {here}"
        if self.mysql:
            own_values = "".join(f", t.{k} = t.{k}" for k in map(self.name, kept))
            where = f" WHERE {' AND '.join(same)}" if same else ""
            on = " AND ".join(pairs)
            return (
                f"UPDATE {there} AS t JOIN {source} ON {on} "
                f"SET t.{name} = {here}.{name}{own_values}{where}"
            )
        if self.postgresql:
            return f"UPDATE {there} SET {name} = {here}.{name} FROM {source} WHERE {match}"
        chosen = f"FROM {source} WHERE {match}"
        return (
            f"UPDATE {there} SET {name} = (SELECT {here}.{name} {chosen}) "
            f"WHERE EXISTS (SELECT 1 {chosen})"
        )

    def refill(self, archive: Place, target: Place, columns: list[str]) -> str:
        """Put whole rows back."""
        names = self.names(columns)
        return (
            f"INSERT INTO {self.place(target)} ({names}) SELECT {names} FROM {self.place(archive)}"
        )
