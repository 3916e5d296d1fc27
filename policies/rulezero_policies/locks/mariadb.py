"""How MariaDB and MySQL change a table: at once, in place, or by copying it.

Source: measured on MariaDB 10.11 (the best ALGORITHM and LOCK that the server accepts); a test
repeats them on a live server. MySQL 8 answers alike in its manual, but was not measured.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.column_types import compare
from rulezero_policies.operations import Change, Column, Operation

Algorithm = Literal["INSTANT", "NOCOPY", "INPLACE", "COPY"]

_VARCHAR = re.compile(r"VARCHAR\((\d+)\)", re.IGNORECASE)
_BYTES_PER_CHARACTER = (1, 3, 4)
_LENGTH_OF_ONE_BYTE = 255
_ENUM = re.compile(r"ENUM\((.*)\)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The best algorithm; a copy keeps writers out for as long as it takes.

    `certain` is False where the conservative answer was taken.
    """

    algorithm: Algorithm
    blocks_writes: bool = False
    certain: bool = True

    @property
    def copies(self) -> bool:
        """Whether the whole table is copied."""
        return self.algorithm == "COPY"


INSTANT = Cost(algorithm="INSTANT")
NOCOPY = Cost(algorithm="NOCOPY")
INPLACE = Cost(algorithm="INPLACE")
COPY = Cost(algorithm="COPY", blocks_writes=True)
PERHAPS = Cost(algorithm="COPY", blocks_writes=True, certain=False)

_STATEMENTS: dict[str, Cost] = {
    "convert charset": COPY,
    "rebuild": INPLACE,
    "optimize": INPLACE,
    "rename index": INSTANT,
    "set storage option": INSTANT,
    "comment": INSTANT,
}


def cost(operation: Operation) -> Cost | None:  # noqa: C901, PLR0911  (one line a kind)
    """What an operation on a table that is there costs; None for what changes no table."""
    match operation.kind:
        case "add_column" if operation.column:
            return _add_column(operation.column)
        case "drop_column":
            return NOCOPY
        case "alter_column":
            return _alter(operation)
        case "create_index" if operation.index:
            full = operation.index.method == "fulltext"
            return Cost(algorithm="INPLACE", blocks_writes=True) if full else NOCOPY
        case "drop_index" | "rename_table":
            return NOCOPY if operation.kind == "drop_index" else INSTANT
        case "create_constraint" if operation.constraint:
            return {"unique": NOCOPY, "primary_key": INPLACE}.get(operation.constraint.kind, COPY)
        case "drop_constraint":
            return NOCOPY
        case "statement":
            return _STATEMENTS.get(operation.verb or "")
        case _:
            return None


def _add_column(column: Column) -> Cost:
    default = (column.server_default or "").upper()
    computed = "(" in default and not default.startswith(("CURRENT_TIMESTAMP", "NOW("))
    return COPY if column.generation in {"stored", "computed"} or computed else INSTANT


def _alter(operation: Operation) -> Cost | None:
    changed = {c.attribute: c for c in operation.changes}
    if "type" in changed and not _kept(changed["type"]):
        return PERHAPS if not changed["type"].before else COPY
    nullable = changed.get("nullable")
    if nullable is not None and nullable.before != nullable.after:
        return INPLACE
    return INSTANT if changed else None


def _kept(change: Change) -> bool:
    """Whether the stored values need no change."""
    old, new = (" ".join((t or "").upper().split()) for t in (change.before, change.after))
    if old == new or (old and compare(old, new) == "same"):
        return True
    shorter, longer = _VARCHAR.fullmatch(old), _VARCHAR.fullmatch(new)
    if shorter and longer:
        return _same_length_bytes(int(shorter[1]), int(longer[1]))
    return _appends(change.before or "", change.after or "")


def _same_length_bytes(old: int, new: int) -> bool:
    """Whether a longer VARCHAR stores its length in as many bytes, whatever its character set."""
    crosses = (old * b <= _LENGTH_OF_ONE_BYTE < new * b for b in _BYTES_PER_CHARACTER)
    return old <= new and not any(crosses)


def _appends(before: str, after: str) -> bool:
    """Whether labels are only added at the end of an ENUM."""
    old, new = _ENUM.fullmatch(before.strip()), _ENUM.fullmatch(after.strip())
    if old is None or new is None:
        return False
    first = [label.strip() for label in old[1].split(",")]
    return [label.strip() for label in new[1].split(",")][: len(first)] == first
