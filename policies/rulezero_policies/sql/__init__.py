"""Raw SQL in the target's dialect: what it does, or that this is unknown.

sqlglot cuts the text into the dialect's tokens and reads queries and changes of rows; DDL, of which
it knows only a part, is read here from the tokens. What neither knows is unknown, never safe.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from rulezero_policies.operations import Operation
from rulezero_policies.sql import ddl, rows
from rulezero_policies.sql.rows import Dml
from rulezero_policies.sql.tokens import Cursor, NotSql, Token, split

__all__ = [
    "Dml",
    "Statement",
    "cascades",
    "dml",
    "expand",
    "is_wide",
    "masked",
    "read",
    "statements",
    "truncated",
]

_PIECES = re.compile(
    r"(?P<quoted>'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<comment>--[^\n]*|/\*(?!M?!).*?\*/)|(?P<end>;)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement: what it does as operations, or why that is unknown."""

    text: str
    operations: tuple[Operation, ...] = ()
    change: Dml | None = None
    unknown: str | None = None


@lru_cache(maxsize=2048)
def read(sql: str, dialect: str = "") -> tuple[Statement, ...]:
    """The statements of `sql` and what each does.

    Args:
        sql: One or several statements.
        dialect: As SQLAlchemy names it; "" where it is not known.
    """
    try:
        parts = split(sql, dialect)
    except NotSql as why:
        return tuple(Statement(text=text, unknown=str(why)) for text in _split_blindly(sql))
    return tuple(_statement(sql, tokens, dialect) for tokens in parts)


def _statement(sql: str, tokens: tuple[Token, ...], dialect: str) -> Statement:
    text = Cursor(sql, tokens).whole
    try:
        return _read(text, Cursor(sql, tokens), dialect)
    except NotSql as why:
        return Statement(text=text, unknown=str(why))


def _read(text: str, cursor: Cursor, dialect: str) -> Statement:
    if cursor.next in rows.WORDS:
        change = rows.insertion(Cursor(cursor.sql, cursor.tokens)) or rows.change(text, dialect)
        return Statement(text=text, change=change, operations=_of_rows(change))
    reader = ddl.READERS.get(cursor.next)
    if reader is None:
        raise NotSql(f"what {cursor.next or 'it'} does is not known here")
    cursor.step()
    found = tuple(reader(cursor, dialect))
    if not cursor.done:
        raise NotSql(f"{cursor.rest()} is not known here")
    return Statement(text=text, operations=found)


def _of_rows(change: Dml | None) -> tuple[Operation, ...]:
    if change is None:
        return ()
    verb = change.verb.lower()
    return (Operation(kind="statement", verb=verb, schema=change.schema, table=change.table),)


def expand(operations: Iterable[Operation], dialect: str = "") -> Iterator[Operation]:
    """Every operation; behind an `execute` what its SQL does, as far as that is known."""
    for operation in operations:
        if operation.derived:
            continue
        yield operation
        if operation.kind == "execute":
            yield from _derived(operation, dialect)


def _derived(operation: Operation, dialect: str) -> Iterator[Operation]:
    for statement in read(operation.sql or "", dialect):
        for found in statement.operations:
            yield replace(
                found,
                line=operation.line,
                batch=operation.batch,
                autocommit=operation.autocommit,
                derived=True,
            )


def statements(sql: str, dialect: str = "") -> tuple[str, ...]:
    """The statements of `sql`, without comments and with single spaces."""
    return tuple(statement.text for statement in read(sql, dialect))


def _split_blindly(sql: str) -> Iterator[str]:
    parts, current = list[str](), list[str]()
    for piece in _PIECES.finditer(sql):
        if piece["end"]:
            parts.append("".join(current))
            current = []
        else:
            current.append(" " if piece["comment"] else piece[0])
    parts.append("".join(current))
    yield from (text for part in parts if (text := " ".join(part.split())))


def masked(statement: str) -> str:
    """The statement with the contents of its strings taken out."""
    return _PIECES.sub(
        lambda m: "''" if m[0][:1] in {"'", "$"} and m["quoted"] else m[0], statement
    )


def dml(statement: str, dialect: str = "") -> Dml | None:
    """What rows a plain UPDATE, DELETE or INSERT changes; None for anything else."""
    return next((s.change for s in read(statement, dialect)), None)


def truncated(statement: str, dialect: str = "") -> str | None:
    """The tables a TRUNCATE names, parted by commas; None if it is none."""
    found = (o for s in read(statement, dialect) for o in s.operations if o.verb == "truncate")
    return ", ".join(o.qualified for o in found) or None


def is_wide(verb: str) -> bool:
    """Whether what is dropped takes with it what it does not name."""
    return verb.removeprefix("drop ") in ddl.WIDE


def cascades(statement: str) -> bool:
    """Whether it drops more than it names: CASCADE, or a whole schema or database."""
    text = masked(statement)
    wide = re.match(r"\s*DROP\s+(?:SCHEMA|DATABASE|OWNED)\b", text, re.IGNORECASE)
    drops = re.search(
        r"\bDROP\b(?:(?!\bON\s+DELETE\b).)*\bCASCADE\b", text, re.IGNORECASE | re.DOTALL
    )
    return bool(wide or drops)
