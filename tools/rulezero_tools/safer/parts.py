"""What a phase of a sequence does, as the text of a revision."""

import re
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.errors import NoSequence
from rulezero_tools.shapes import Hold, Shape, ShapeColumn

Phase = Literal["expand", "backfill", "switch", "contract"]

PHASES: tuple[Phase, ...] = ("expand", "backfill", "switch", "contract")

MYSQL = frozenset({"mysql", "mariadb"})

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 60
"""Bytes of a name that every database here takes."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one change does in one phase.

    `deployed` is what has to run by then, which no database shows; `holds` are tables with a
    condition that every row has to fulfil before, `triggers` tables with a trigger that has to be
    there. `helpers` names functions that stand at the end of the file. `first` stands before every
    change's `upgrade`: what reads the whole table, and must not do so under another's lock.
    """

    phase: Phase
    says: str
    upgrade: tuple[str, ...]
    downgrade: tuple[str, ...]
    deployed: str | None = None
    holds: tuple[tuple[str, str], ...] = ()
    triggers: tuple[tuple[str, str], ...] = ()
    helpers: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Place:
    """A column of a live table, and how the database writes names."""

    dialect: str
    shape: Shape
    column: str

    @property
    def table(self) -> str:
        """The table as SQL names it."""
        return self.quoted(self.shape.table)

    @property
    def subject(self) -> str:
        """As people write it."""
        return f"{self.shape.table}.{self.column}"

    @property
    def live(self) -> ShapeColumn | None:
        """The column as it stands, if it is there."""
        return next((c for c in self.shape.columns if c.name == self.column), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key, quoted.

        Raises:
            NoSequence: There is none: rows cannot be walked through in batches.
        """
        if not self.shape.key:
            raise self.refused("the table has no primary key, by which rows are taken in batches")
        return tuple(map(self.quoted, map(self.plain, self.shape.key)))

    @property
    def sync(self) -> str:
        """The name of what keeps two columns the same."""
        return self.plain(f"sync_{self.shape.table}_{self.column}".lower())

    def quoted(self, name: str) -> str:
        """A name as the database reads it, whatever word it is."""
        mark = "`" if self.dialect in MYSQL else '"'
        return f"{mark}{self.plain(name)}{mark}"

    def plain(self, name: str) -> str:
        """A name that can stand in a text as it is.

        Raises:
            NoSequence: It holds more than letters, digits and underscores, or is too long.
        """
        if _NAME.fullmatch(name) is None or len(name) > _LONGEST:
            raise self.refused(f"the name {name!r} is too long, or more than letters and digits")
        return name

    def refused(self, reason: str) -> NoSequence:
        """Why no sequence can be written."""
        return NoSequence(subject=self.subject, reason=reason)

    def free(self, name: str) -> str:
        """A name that no column of the table has.

        Raises:
            NoSequence: One has it.
        """
        if any(c.name.lower() == name.lower() for c in self.shape.columns):
            raise self.refused(f"the table already has a column {name}")
        return name

    @property
    def held(self) -> tuple[Hold, ...]:
        """What rests on the column, or may do so."""
        return tuple(h for h in self.shape.held if {"*", self.column} & set(h.columns))

    def movable(self) -> None:
        """See that another column can take its place.

        Raises:
            NoSequence: None can.
        """
        if self.column in self.shape.key:
            raise self.refused("it belongs to the primary key")
        if self.live is None or self.live.generated:
            raise self.refused("the database fills it by itself")


def execute(sql: str) -> str:
    """The line of a revision that sends `sql`, whatever is in it."""
    # SQLAlchemy takes a colon before a word for a parameter.
    text = re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", sql)
    if "\n" in text and '"""' not in text and "\\" not in text:
        return f'op.execute(\n    """{text}"""\n)'
    quoted = repr(text) if '"' in text or "\\" in text else f'"{text}"'
    return f"op.execute({quoted})"


def executes(*statements: str) -> tuple[str, ...]:
    """A line each."""
    return tuple(map(execute, statements))
