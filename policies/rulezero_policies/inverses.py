"""The statement that plainly undoes another: made of nothing but its own names, or not at all."""

import re
from collections.abc import Mapping

from rulezero_policies import sql
from rulezero_policies.operations import Operation, OperationKind

_ID = r"(?:[^\W\d][\w$]*|\"[\w $.-]+\"|`[\w $.-]+`)"
_NAME = rf"(?P<name>(?:(?P<schema>{_ID})\.)?{_ID})"
_COLUMN = rf"(?P<column>{_ID})"
_INDEX = r"create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?!if\b)"

_MYSQL = frozenset({"mysql", "mariadb"})

# What IF NOT EXISTS passed over, or OR REPLACE replaced, was there before: no drop brings it back.
_PATTERNS: Mapping[str, tuple[str, str]] = {
    "create_table": (rf"create\s+table\s+{_NAME}\s*(?=\(|as\b)", "DROP TABLE {name}"),
    "add_column": (
        rf"alter\s+table\s+{_NAME}\s+add\s+(?:column\s+)?(?!if\b|column\b){_COLUMN}\s",
        "ALTER TABLE {name} DROP COLUMN {column}",
    ),
    "create_index": (rf"{_INDEX}(?P<own>{_ID})\s+on\s+(?:only\s+)?{_NAME}", ""),
    "create_constraint": (
        rf"alter\s+table\s+{_NAME}\s+add\s+constraint\s+(?!if\b){_COLUMN}\s",
        "ALTER TABLE {name} DROP CONSTRAINT {column}",
    ),
    "create type": (rf"create\s+type\s+{_NAME}\s+as\b", "DROP TYPE {name}"),
    "create view": (rf"create\s+view\s+{_NAME}\s", "DROP VIEW {name}"),
}


def inverse(text: str, dialect: str, *, half_done: bool = False) -> str | None:
    """The one statement that undoes `text`; None where there is none that is plain.

    Args:
        text: A statement that was committed.
        dialect: As SQLAlchemy names it.
        half_done: Whether `text` was cut off, so that what it makes may be there or not.
    """
    found = operation(text, dialect)
    pattern = _PATTERNS.get(_what(found)) if found else None
    said = re.match(rf"\s*{pattern[0]}", text, re.IGNORECASE) if pattern else None
    if found is None or pattern is None or said is None:
        return None
    if found.kind == "create_constraint" and dialect != "postgresql":
        return None  # MySQL keeps the index that it made for a foreign key
    made = pattern[1].format(**said.groupdict())
    if found.kind == "create_index":
        made = _of_index(said, dialect)
    return made.replace("DROP INDEX ", "DROP INDEX IF EXISTS ") if half_done else made


def _of_index(said: re.Match[str], dialect: str) -> str:
    """An index lies in its table's schema, or belongs to its table."""
    if dialect in _MYSQL:
        return f"DROP INDEX {said['own']} ON {said['name']}"
    return (
        f"DROP INDEX {said['schema']}.{said['own']}"
        if said["schema"]
        else f"DROP INDEX {said['own']}"
    )


def _what(found: Operation) -> str:
    return found.verb or "" if found.kind == "statement" else found.kind


def operation(text: str, dialect: str) -> Operation | None:
    """What a statement does, where it is understood and does one thing."""
    statements = sql.read(text, dialect)
    known = [o for s in statements if s.unknown is None for o in s.operations]
    return known[0] if len(statements) == len(known) == 1 else None


_DONE: frozenset[OperationKind] = frozenset(
    {
        "create_table", "drop_table", "add_column", "drop_column", "create_index", "drop_index",
        "create_constraint", "drop_constraint",
    }
)  # fmt: skip


def is_among(step: Operation, done: tuple[Operation, ...]) -> bool:
    """Whether a step of a revision is one of those that were done already."""
    return step.kind in _DONE and any(_same(step, one) for one in done)


def _same(step: Operation, other: Operation) -> bool:
    if (step.kind, _own(step)) != (other.kind, _own(other)):
        return False
    if step.index is not None:  # a drop need not say of which table
        return step.index.name is not None
    return (step.table, step.schema or "") == (other.table, other.schema or "")


def _own(step: Operation) -> str | None:
    part = step.column or step.index or step.constraint
    return part.name if part else None
