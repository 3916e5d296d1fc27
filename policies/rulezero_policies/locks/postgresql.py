"""What PostgreSQL locks, and what it does to the table meanwhile.

Source: 125 statements measured on PostgreSQL 12, 13, 14, 15, 16, 17 and 18 (the lock as pg_locks
shows it before the commit, a rewrite by the table's relfilenode); a test repeats them on a live
server.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.column_types import compare
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation

Lock = Literal[
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "ACCESS EXCLUSIVE",
]
Effect = Literal["metadata", "scan", "validation", "index", "rewrite"]

AX: Lock = "ACCESS EXCLUSIVE"
SRX: Lock = "SHARE ROW EXCLUSIVE"
SUX: Lock = "SHARE UPDATE EXCLUSIVE"

BLOCKS_WRITES: frozenset[Lock] = frozenset({"SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The lock on the table, the one on the table that a key refers to, and what is done under it.

    `effect` is "metadata" for what is done at once whatever the table's size; "scan" reads every
    row, "validation" looks up every row's parent, "index" builds an index, "rewrite" writes the
    whole table anew with its indexes. `certain` is False where the conservative answer was taken.
    """

    lock: Lock
    effect: Effect = "metadata"
    referred: Lock | None = None
    certain: bool = True

    @property
    def long(self) -> bool:
        """Whether it takes the longer the larger the table is."""
        return self.effect != "metadata"


_STATEMENTS: dict[str, Cost] = {
    "validate constraint": Cost(lock=SUX, effect="scan"),
    "set unlogged": Cost(lock=AX, effect="rewrite"),
    "set logged": Cost(lock=AX, effect="rewrite"),
    "set tablespace": Cost(lock=AX, effect="rewrite"),
    "set access method": Cost(lock=AX, effect="rewrite", certain=False),
    "set expression": Cost(lock=AX, effect="rewrite"),
    "cluster": Cost(lock=AX, effect="rewrite"),
    "vacuum full": Cost(lock=AX, effect="rewrite"),
    "truncate": Cost(lock=AX, effect="rewrite"),
    "lock table": Cost(lock=AX),
    "reindex": Cost(lock="SHARE", effect="index"),
    "detach partition": Cost(lock=AX),
    "attach partition": Cost(lock=SUX, effect="scan"),
    "create trigger": Cost(lock=SRX),
    "replace trigger": Cost(lock=SRX),
    "drop trigger": Cost(lock=AX),
    "set statistics": Cost(lock=SUX),
    "set storage option": Cost(lock=SUX),
    "create statistics": Cost(lock=SUX),
    "comment": Cost(lock=SUX),
    "set storage": Cost(lock=AX),
    "add identity": Cost(lock=AX),
    "drop identity": Cost(lock=AX),
    "set identity": Cost(lock=AX),
    "drop expression": Cost(lock=AX),
    "enable": Cost(lock=AX),
    "disable": Cost(lock=AX),
    "change owner": Cost(lock=AX),
    "rename constraint": Cost(lock=AX),
    "update": Cost(lock="ROW EXCLUSIVE", effect="scan"),
    "delete": Cost(lock="ROW EXCLUSIVE", effect="scan"),
}

_CONSTRAINTS: dict[str, Cost] = {
    "unique": Cost(lock=AX, effect="index"),
    "primary_key": Cost(lock=AX, effect="index"),
    "exclude": Cost(lock=AX, effect="index"),
    "check": Cost(lock=AX, effect="scan"),
    "foreign_key": Cost(lock=SRX, effect="validation", referred=SRX),
    "unknown": Cost(lock=AX, effect="scan", certain=False),
}

_SERIAL = re.compile(r"(?:SMALL|BIG)?SERIAL[248]?", re.IGNORECASE)
_CALL = re.compile(r"(\w+)\s*\(")
_CAST = re.compile(r"::\s*\"?[\w. ]+\"?(?:\([\d, ]*\))?")
_STRING = re.compile(r"'(?:[^']|'')*'")
_STABLE = frozenset(
    {
        *("now", "transaction_timestamp", "statement_timestamp", "current_timestamp"),
        *("current_time", "localtime", "localtimestamp", "to_timestamp", "make_interval"),
        *("make_date", "date_trunc", "date_part", "extract", "timezone", "lower", "upper"),
        *("md5", "coalesce", "jsonb_build_object", "json_build_object", "jsonb_build_array"),
        *("array", "current_setting", "concat", "length", "cast", "nullif", "date", "interval"),
        *("varchar", "char", "numeric", "decimal", "timestamp", "time", "bit", "left", "right"),
    }
)
_FREE = re.compile(
    r"(?:VARCHAR|TEXT|CHARACTER VARYING|NUMERIC|DECIMAL|TIMESTAMP|TIMESTAMPTZ|TIME|INTERVAL|VARBIT)"
    r"\b"
)
_VARBIT = ("BIT VARYING", "VARBIT")
_SIZED = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")


def cost(  # noqa: C901, PLR0911  (one line a kind)
    operation: Operation, version: tuple[int, ...] | None = None
) -> Cost | None:
    """What an operation on a table that is there costs; None for what locks no table for long.

    Args:
        operation: On PostgreSQL.
        version: The server's; None is answered as the oldest.
    """
    match operation.kind:
        case "add_column" if operation.column:
            return _add_column(operation.column, version)
        case "drop_column" | "rename_table" | "drop_table":
            return Cost(lock=AX)
        case "alter_column":
            return _alter(operation)
        case "create_index" | "drop_index" if operation.index:
            return _index(operation.kind, operation.index)
        case "create_constraint" if operation.constraint:
            return _constraint(operation.constraint)
        case "drop_constraint":
            foreign = (
                operation.constraint is not None and operation.constraint.kind == "foreign_key"
            )
            return Cost(lock=AX, referred=AX if foreign else None)
        case "table_comment":
            return Cost(lock=SUX)
        case "statement":
            return _statement(operation)
        case _:
            return None


def _statement(operation: Operation) -> Cost | None:
    found = _STATEMENTS.get(operation.verb or "")
    if found and operation.detail in {"concurrently"}:
        return Cost(lock=SUX)
    return found


def _add_column(column: Column, version: tuple[int, ...] | None) -> Cost:
    if column.generation == "virtual" and version is not None and version >= (18,):
        return Cost(lock=AX)
    numbered = _SERIAL.fullmatch(column.type) is not None or column.generation is not None
    if numbered or is_volatile(column.server_default):
        return Cost(lock=AX, effect="rewrite")
    return Cost(lock=AX)


def is_volatile(default: str | None) -> bool:
    """Whether every row gets another value: it calls what is not known to be constant."""
    text = _CAST.sub("", _STRING.sub("''", default or ""))
    return any(name.lower() not in _STABLE for name in _CALL.findall(text))


def _index(kind: str, index: Index) -> Cost:
    if index.concurrently:
        return Cost(lock=SUX)
    return Cost(lock="SHARE", effect="index") if kind == "create_index" else Cost(lock=AX)


def _constraint(constraint: Constraint) -> Cost:
    full = _CONSTRAINTS[constraint.kind]
    if constraint.not_valid or constraint.using_index:
        return Cost(lock=full.lock, referred=full.referred)
    return full


def _alter(operation: Operation) -> Cost | None:
    changed = {c.attribute: c for c in operation.changes}
    if "type" in changed:
        return _type(changed["type"], operation.column)
    if "nullable" in changed and changed["nullable"].after == "false":
        return Cost(lock=AX, effect="scan")
    if changed.keys() <= {"comment"}:
        return Cost(lock=SUX) if changed else None
    return Cost(lock=AX)


def _type(change: Change, column: Column | None) -> Cost:
    if not change.before:
        return Cost(lock=AX, effect="rewrite", certain=False)
    name = column.name if column else ""
    if is_free(change.before, change.after or "") and is_plain(change.using, name):
        return Cost(lock=AX)
    return Cost(lock=AX, effect="rewrite")


def is_plain(using: str | None, column: str) -> bool:
    """Whether USING says no more than the column itself, perhaps with a cast."""
    bare = re.escape(column)
    return using is None or re.fullmatch(rf'"?{bare}"?(?:::[\w ()",]+)?', using.strip()) is not None


def is_free(before: str, after: str) -> bool:
    """Whether a change of type changes no more than the catalogue."""
    old, new = (" ".join(t.upper().split()).replace(*_VARBIT) for t in (before, after))
    if old == new or (old, new) == ("CIDR", "INET") or old == new.split(" COLLATE ")[0]:
        return True
    how = compare(old, new)
    if how == "same":
        return True
    if how != "wider" or "[" in old or not (_FREE.match(old) and _FREE.match(new)):
        return False
    return not old.startswith(("NUMERIC", "DECIMAL")) or _scale(new) in {None, _scale(old)}


def _scale(type_: str) -> int | None:
    found = _SIZED.search(type_)
    return int(found[2] or 0) if found else None
