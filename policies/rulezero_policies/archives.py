"""Archives: what of a plan can be kept beside the tables, and how it is said what that costs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rulezero_policies import asks
from rulezero_policies.findings import Fact
from rulezero_policies.operations import Operation
from rulezero_policies.steps import Step, walk
from rulezero_policies.text import visible

PREFIX = "rulezero_archive_"

_NAME = re.compile(rf"{PREFIX}(?P<revision>[0-9a-z_]+)_(?P<number>[0-9]+)")

ArchiveKind = Literal["column", "table", "narrowing"]

_QUICK, _MINUTES = 100_000, 10_000_000
"""Values that are copied within about a second, and within minutes, on a usual machine."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A drop or narrowing whose data is to be archived; `column` is None for a whole table."""

    kind: ArchiveKind
    table: str
    schema: str | None = None
    column: str | None = None

    @property
    def subject(self) -> str:
        """What it is about, as findings name it."""
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive that a revision makes: the table's name, and what goes into it."""

    name: str
    kind: ArchiveKind
    table: str
    schema: str | None = None
    column: str | None = None


def is_archive(name: str | None) -> bool:
    """Whether a table has an archive's name."""
    return name is not None and _NAME.fullmatch(name) is not None


def revision_of(name: str) -> str:
    """The revision, in lower case and shortened, that an archive's name tells."""
    found = _NAME.fullmatch(name)
    return found["revision"] if found else ""


def stem(revision: str) -> str:
    """A revision's part of its archives' names."""
    return re.sub(r"[^0-9a-z]", "_", revision.lower())[:40]


def wishes(operations: Iterable[Operation], dialect: str = "") -> tuple[Wish, ...]:
    """Everything that these operations drop or narrow, in their order."""
    return tuple(_wish(kind, step) for kind, step in _losing(operations, dialect))


def costs(
    operations: Iterable[Operation], facts: Sequence[Fact], dialect: str = ""
) -> tuple[str, ...]:
    """A line for each archive that would be made: of what, how much, and how long about.

    Args:
        operations: What the models want.
        facts: What was counted for them.
        dialect: The database's.
    """
    known = {fact.asked: fact for fact in facts}
    lines: list[str] = []
    for kind, step in _losing(operations, dialect):
        question = step.values if kind == "column" else step.rows
        fact = known.get(question) if question else None
        lines.append(f"{_wish(kind, step).subject}: {_cost(kind, fact, dialect)}")
    return tuple(lines)


def offer(costs: Sequence[str], *, taken: bool) -> tuple[str, ...]:
    """What is said before the file is written: that it is archived, or that it could be."""
    if not costs:
        return ()
    if taken:
        return ("Archived before it is dropped, and put back by the downgrade:", *costs)
    kept = "the revision archives it first and its downgrade puts it back"
    return (f"What is dropped can be kept: with archive=true {kept} ({'; '.join(costs)}).",)


def lines(made: Iterable[Archive], left: Iterable[str]) -> tuple[str, ...]:
    """What a written revision archives, and what it does not."""
    kept = (f"{_subject(a)} is archived in {_place(a)}" for a in made)
    return tuple(visible(line, limit=300) for line in (*kept, *left))


def _subject(archive: Archive) -> str:
    what = {"column": "", "table": " (the whole table)", "narrowing": " (values that change)"}
    named = ".".join(part for part in (archive.table, archive.column) if part)
    return named + what[archive.kind]


def _place(archive: Archive) -> str:
    return f"{archive.schema}.{archive.name}" if archive.schema else archive.name


def _losing(operations: Iterable[Operation], dialect: str) -> Iterator[tuple[ArchiveKind, Step]]:
    for step in walk(tuple(operations), dialect):
        operation = step.operation
        change = operation.change("type")
        if operation.kind == "drop_table":
            yield "table", step
        elif operation.kind == "drop_column":
            yield "column", step
        elif change is not None and asks.comparison(change) == "narrower":
            yield "narrowing", step


def _wish(kind: ArchiveKind, step: Step) -> Wish:
    operation = step.operation
    column = operation.column.name if operation.column and kind != "table" else None
    return Wish(kind=kind, table=operation.table or "", schema=operation.schema, column=column)


def _cost(kind: ArchiveKind, fact: Fact | None, dialect: str) -> str:
    if kind == "table" and dialect != "sqlite":
        rows = "its rows" if fact is None or fact.count is None else f"its {fact.amount} rows"
        return (
            f"{rows} stay where they are under the archive's name, at once and at no further cost"
        )
    if fact is None or fact.count is None:
        return "how much is copied could not be counted"
    noun = "values with their keys" if kind == "column" else "rows"
    if kind == "narrowing":
        return f"what no longer fits, looked for in {fact.amount} rows, {_time(fact)}"
    return f"{fact.amount} {noun} are copied, {_time(fact)}"


def _time(fact: Fact) -> str:
    count = fact.count or 0
    if fact.at_least:
        return "minutes or more"
    return (
        "about a second"
        if count <= _QUICK
        else "seconds to minutes"
        if count <= _MINUTES
        else "minutes or more"
    )
