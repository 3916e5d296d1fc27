"""Rows that are nobody's: made up from what a table's columns and constraints say."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ROWS = 3
"""Rows a table; the second holds NULL wherever it may."""

VARIANTS = 12
"""Tries a row, where CHECK constraints leave several values to try."""

Kind = Literal[
    "integer", "number", "text", "boolean", "date", "time", "timestamp", "interval", "uuid",
    "json", "binary", "network", "choice", "array", "range", "other",
]  # fmt: skip

Row = dict[str, str]
"""Literals by column."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column. `length` is of characters, bytes or digits; `choices` are an enumeration's labels.

    `given` are columns that the database fills by itself and takes no value for; `zero` is how
    the dialect writes a value of its own kind ("other") that can be told from its type, if any.
    """

    name: str
    kind: Kind
    nullable: bool
    length: int | None = None
    scale: int | None = None
    choices: tuple[str, ...] = ()
    given: bool = False
    defaults: bool = False


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key: these columns to those of that table."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table to fill; `name` is quoted as its dialect wants it, and qualified."""

    name: str
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How literals and names are written; `overriding` stands before VALUES."""

    name: str
    quote: Callable[[str], str]
    text: Callable[[str], str]
    overriding: str = ""
    literals: Mapping[str, Callable[[Column, int], str]] = field(
        default_factory=dict[str, Callable[[Column, int], str]]
    )


@dataclass(frozen=True, kw_only=True)
class Made:
    """One row: its table, and the INSERTs to try until one of them is taken."""

    table: str
    tries: tuple[str, ...]


def rows(tables: Sequence[Table], dialect: Dialect) -> Iterator[Made]:
    """Rows for these tables, those that others refer to first."""
    done: dict[str, list[Row]] = {}
    for table in _ordered(tables):
        done[table.name] = []
        for number in range(ROWS):
            variants = [
                _row(table, number, variant, done, dialect) for variant in range(_tries(table))
            ]
            done[table.name].append(variants[0])
            unique = dict.fromkeys(_insert(table, row, dialect) for row in variants)
            yield Made(table=table.name, tries=tuple(unique))


def _ordered(tables: Sequence[Table]) -> list[Table]:
    """Parents before children; what goes round in circles comes as it came."""
    waiting = {table.name: table for table in tables}
    ordered: list[Table] = []
    while waiting:
        free = [t for t in waiting.values() if not _waits(t, waiting)]
        for table in free or [next(iter(waiting.values()))]:
            ordered.append(waiting.pop(table.name))
    return ordered


def _waits(table: Table, waiting: Mapping[str, Table]) -> bool:
    return any(r.table in waiting and r.table != table.name for r in table.references)


def _tries(table: Table) -> int:
    return VARIANTS if table.checks else 1


def _row(
    table: Table, number: int, variant: int, done: Mapping[str, list[Row]], dialect: Dialect
) -> Row:
    keys = {column for key in table.unique for column in key}
    row: Row = {}
    for column in table.columns:
        if column.given:
            continue
        if number == 1 and column.nullable and column.name not in keys:
            row[column.name] = "NULL"
            continue
        wanted = _wanted(table.checks, column, dialect)
        if wanted:
            # Differs from column to column, so that pairs of columns meet in several ways.
            row[column.name] = wanted[(variant + number * (variant // len(wanted))) % len(wanted)]
        else:
            row[column.name] = value(column, number, dialect)
    for reference in table.references:
        row.update(_referred(table, reference, number, row, done))
    return row


def _referred(
    table: Table, reference: Reference, number: int, row: Row, done: Mapping[str, list[Row]]
) -> Row:
    """Values of the columns of a foreign key: those of a row that was made before."""
    nullable = {c.name for c in table.columns if c.nullable}
    parents = [row] if reference.table == table.name else done.get(reference.table, [])
    parent = parents[min(number, len(parents) - 1)] if parents else {}
    if all(column in parent for column in reference.to) and not _nulls(row, reference):
        return {mine: parent[to] for mine, to in zip(reference.columns, reference.to, strict=True)}
    return dict.fromkeys((c for c in reference.columns if c in nullable), "NULL")


def _nulls(row: Row, reference: Reference) -> bool:
    return all(row.get(column) == "NULL" for column in reference.columns)


def _wanted(checks: Sequence[str], column: Column, dialect: Dialect) -> list[str]:
    """Values that the CHECKs on a column name, those next to them, and an ordinary one."""
    about = [check for check in checks if re.search(rf"\b{re.escape(column.name)}\b", check)]
    if column.kind == "text":
        found = [text for check in about for text in re.findall(r"'((?:[^']|'')*)'", check)]
        return [*(dialect.text(text.replace("''", "'")) for text in found), *_usual(about)]
    if column.kind in {"integer", "number"}:
        numbers = [int(n) for check in about for n in re.findall(r"(?<![\w.])-?\d{1,9}\b", check)]
        near = [str(n + step) for n in numbers for step in (1, 0, -1)]
        return list(dict.fromkeys([*near, *(("1", "0") if about else ())]))
    return []


def _usual(about: Sequence[str]) -> list[str]:
    """What many a CHECK of a text means: an address of mail, of the web, a word in either case."""
    return ["'made.up@example.org'", "'https://example.org'", "'MADEUP'", "'madeup'"][
        : 4 * bool(about)
    ]


def _insert(table: Table, row: Row, dialect: Dialect) -> str:
    if not row:
        empty = "() VALUES ()" if dialect.name == "mysql" else "DEFAULT VALUES"
        return f"INSERT INTO {table.name} {empty}"
    names = ", ".join(dialect.quote(name) for name in row)
    values = ", ".join(row.values())
    return f"INSERT INTO {table.name} ({names}) {dialect.overriding}VALUES ({values})"


def value(column: Column, number: int, dialect: Dialect) -> str:
    """An ordinary value of a column, another one for each `number`, as a literal."""
    own = dialect.literals.get(column.kind)
    if own is not None:
        return own(column, number)
    return _PLAIN[column.kind](column, number, dialect)


def _text(column: Column, number: int, dialect: Dialect) -> str:
    text = f"made up {number + 1}"
    if column.length is not None and len(text) > column.length:
        text = "abcdefgh"[number] * min(column.length, 1)
    return dialect.text(text)


def _choice(column: Column, number: int, dialect: Dialect) -> str:
    if not column.choices:
        return "NULL"
    return dialect.text(column.choices[number % len(column.choices)])


def _number(column: Column, number: int, dialect: Dialect) -> str:
    del dialect
    whole = column.length is None or column.scale is None or column.length > column.scale
    return str(number + 1) if whole else f"0.{number + 1}"


_PLAIN: Mapping[Kind, Callable[[Column, int, Dialect], str]] = {
    "integer": lambda _c, n, _d: str(n + 1),
    "number": _number,
    "text": _text,
    "boolean": lambda _c, n, _d: "TRUE" if n % 2 == 0 else "FALSE",
    "date": lambda _c, n, _d: f"'2024-01-0{n + 1}'",
    "time": lambda _c, n, _d: f"'0{n + 1}:30:00'",
    "timestamp": lambda _c, n, _d: f"'2024-01-0{n + 1} 12:30:00'",
    "interval": lambda _c, n, _d: f"'{n + 1} hours'",
    "uuid": lambda _c, n, _d: f"'00000000-0000-4000-8000-00000000000{n + 1}'",
    "json": lambda _c, n, _d: f'\'{{"made": "up", "number": {n + 1}}}\'',
    "binary": lambda _c, n, _d: f"x'0{n + 1}'",
    "network": lambda _c, n, _d: f"'192.0.2.{n + 1}'",
    "choice": _choice,
    "array": lambda _c, _n, _d: "'{}'",
    "range": lambda _c, _n, _d: "'empty'",
    "other": lambda c, n, _d: "NULL" if c.nullable else f"'{n + 1}'",
}
