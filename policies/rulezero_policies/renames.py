"""Drops and adds that may be renames, scored by what speaks for it; a person decides."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Literal

from rulezero_policies.column_types import similar
from rulezero_policies.operations import Column, Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.references import ModelClass

MOST = 5
"""Candidates that are put to a person."""

BAR = 70
"""Of 100: below it nothing is proposed. `name` to `full_name` of the same type is above it, two
columns that share nothing but their type below."""

NEAR = 10
"""Two candidates for one name that are no further apart are ambiguous."""

WEIGHTS: Mapping[str, int] = {
    "same type": 30,
    "similar type": 15,
    "same nullability": 10,
    "same server default": 5,
    "similar name": 25,
    "same place in the table": 15,
    "same indexes and constraints": 15,
}
"""What each kind of evidence counts, of 100; what is not known counts neither way."""

TABLE_WEIGHTS: Mapping[str, int] = {"same columns": 70, "similar name": 30}

_LEAST_COLUMNS = 3
"""Columns that two tables must share: `id` and `name` say nothing."""


@dataclass(frozen=True, kw_only=True)
class Rename:
    """A drop and an add that a person calls a rename; for a table, `table` is its old name."""

    kind: Literal["column", "table"]
    table: str
    old: str
    new: str
    schema: str | None = None

    @property
    def id(self) -> str:
        """The name by which a candidate is taken up."""
        table = f"{self.schema}.{self.table}" if self.schema else self.table
        old = f"{table}.{self.old}" if self.kind == "column" else table
        return f"{old} -> {self.new}"

    @property
    def code(self) -> str:
        """The line that renames, for a revision file."""
        schema = f", schema={self.schema!r}" if self.schema else ""
        if self.kind == "table":
            return f"op.rename_table({self.old!r}, {self.new!r}{schema})"
        return (
            f"op.alter_column({self.table!r}, {self.old!r}, new_column_name={self.new!r}{schema})"
        )


@dataclass(frozen=True, kw_only=True)
class RenameCandidate:
    """A rename that the evidence speaks for, with its score of 100.

    `ambiguous` tells that another candidate for the old or the new name is about as good.
    """

    rename: Rename
    score: int
    evidence: tuple[str, ...]
    ambiguous: bool = False


@dataclass(frozen=True, kw_only=True)
class _Pair:
    drop: Operation
    add: Operation
    old: Column
    new: Column


def candidates(
    operations: Iterable[Operation],
    live: Iterable[LiveTable] = (),
    models: Iterable[ModelClass] = (),
) -> tuple[RenameCandidate, ...]:
    """The likely renames among the drops and adds of a model diff, the best first.

    Args:
        operations: What autogenerate proposes; nothing that renames already.
        live: The tables as they stand, for the place of a dropped column.
        models: The project's classes, for the place of an added one.
    """
    steps = tuple(operations)
    tables = [c for c in _tables(steps) if c.score >= BAR]
    known = _Known(
        live=tuple(live),
        models=tuple(models),
        renamed={c.rename.old: c.rename.new for c in tables},
    )
    columns = (c for c in _columns(steps, known) if c.score >= BAR)
    best = sorted((*tables, *columns), key=lambda c: -c.score)
    return tuple(replace(c, ambiguous=_rivalled(c, best)) for c in best[:MOST])


def _rivalled(one: RenameCandidate, others: list[RenameCandidate]) -> bool:
    mine = one.rename
    return any(
        (o.rename.kind, o.rename.schema, o.rename.table) == (mine.kind, mine.schema, mine.table)
        and (o.rename.old == mine.old) != (o.rename.new == mine.new)
        and abs(o.score - one.score) <= NEAR
        for o in others
    )


def _columns(steps: tuple[Operation, ...], known: "_Known") -> Iterator[RenameCandidate]:
    drops = [o for o in steps if o.kind == "drop_column" and o.column]
    adds = [o for o in steps if o.kind == "add_column" and o.column]
    for drop in drops:
        for add in adds:
            same = (drop.schema, drop.table) == (add.schema, add.table)
            if same and drop.column and add.column:
                pair = _Pair(drop=drop, add=add, old=drop.column, new=add.column)
                yield from _column(pair, steps, known)


def _column(
    pair: _Pair, steps: tuple[Operation, ...], known: "_Known"
) -> Iterator[RenameCandidate]:
    old, new = pair.old, pair.new
    kind = type_evidence(old, new)
    if kind is None or old.name == new.name:
        return
    place = known.same_place(pair)
    likeness = alike(old.name, new.name)
    seen: dict[str, float | None] = {
        kind: 1,
        "same nullability": old.nullable == new.nullable,
        "same server default": old.server_default == new.server_default,
        "similar name": likeness if likeness >= _SOME_LIKENESS else 0,
        "same place in the table": None if place is None else float(place),
        "same indexes and constraints": _carried(pair, steps, known),
    }
    rename = Rename(
        kind="column",
        schema=pair.drop.schema,
        table=pair.drop.table or "",
        old=old.name,
        new=new.name,
    )
    yield _scored(rename, seen, WEIGHTS)


_SOME_LIKENESS = 0.5


def column_score(old: Column, new: Column) -> int:
    """The score of two columns by their definitions alone."""
    drop = Operation(kind="drop_column", table="t", column=old)
    add = Operation(kind="add_column", table="t", column=new)
    found = _column(_Pair(drop=drop, add=add, old=old, new=new), (), _Known())
    return next((c.score for c in found), 0)


def type_evidence(old: Column, new: Column) -> str | None:
    """What the types say; None where no value would fit."""
    if old.type.upper() == new.type.upper():
        return "same type"
    return "similar type" if similar(old.type, new.type) else None


def _scored(
    rename: Rename, seen: Mapping[str, float | None], weights: Mapping[str, int]
) -> RenameCandidate:
    known = {what: float(how) for what, how in seen.items() if how is not None}
    got = sum(weights[what] * how for what, how in known.items())
    # The better of two grades is the whole of what a kind of evidence can count.
    whole = sum(weights["same type"] if "type" in what else weights[what] for what in known)
    return RenameCandidate(
        rename=rename,
        score=round(100 * got / whole),
        evidence=tuple(what for what, how in known.items() if how >= _SOME_LIKENESS),
    )


def alike(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; one that is a part of the other is quite."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    parts = set(long.split("_"))
    part = short in parts or set(short.split("_")) <= parts
    return max(SequenceMatcher(None, short, long).ratio(), 0.8 if part else 0)


def _carried(pair: _Pair, steps: tuple[Operation, ...], known: "_Known") -> float | None:
    """Whether what is dropped with the old column is made again for the new one."""
    table = (pair.drop.schema, pair.drop.table)
    mine = [o for o in steps if (o.schema, o.table) == table]
    gone = {s for o in mine if o.kind.startswith("drop_") for s in _shapes(o, pair.old.name, known)}
    made = {
        s for o in mine if o.kind.startswith("create_") for s in _shapes(o, pair.new.name, known)
    }
    if not gone and not made:
        return None
    return float(gone == made)


def _shapes(operation: Operation, column: str, known: "_Known") -> Iterator[tuple[object, ...]]:
    """What an index or constraint is, whatever it and `column` are called."""
    index, constraint = operation.index, operation.constraint
    if index and column in index.columns:
        yield ("index", index.unique, _but(index.columns, column))
    if constraint and column in constraint.columns:
        table = constraint.referred_table or ""
        referred = (known.renamed.get(table, table), constraint.referred_columns)
        yield (constraint.kind, _but(constraint.columns, column), *referred)


def _but(columns: tuple[str, ...], column: str) -> tuple[str | None, ...]:
    return tuple(None if c == column else c for c in columns)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """The order of columns, live and in the models, as far as it is known, and renamed tables."""

    live: tuple[LiveTable, ...] = ()
    models: tuple[ModelClass, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])

    def same_place(self, pair: _Pair) -> bool | None:
        """Whether the new column stands where the old one stood; None where that is not known."""
        place = (pair.drop.schema, pair.drop.table)
        here = next((t for t in self.live if (t.schema, t.table) == place), None)
        model = next((m for m in self.models if (m.schema, m.table) == place), None)
        if here is None or model is None:
            return None
        before = [c.name for c in here.columns]
        after = [c for _, c in model.attributes]
        was, now = (
            _neighbour(before, pair.old.name, after),
            _neighbour(after, pair.new.name, before),
        )
        return was == now


def _neighbour(columns: list[str], name: str, kept: list[str]) -> str | None:
    """The nearest column before `name` that is on both sides."""
    before = columns[: columns.index(name)] if name in columns else []
    return next((c for c in reversed(before) if c in kept), None)


def _tables(steps: tuple[Operation, ...]) -> Iterator[RenameCandidate]:
    created = [o for o in steps if o.kind == "create_table"]
    for drop in (o for o in steps if o.kind == "drop_table"):
        for new in created:
            if new.schema == drop.schema and new.table != drop.table:
                yield from _table(drop, new)


def _table(drop: Operation, new: Operation) -> Iterator[RenameCandidate]:
    before = {(c.name, c.type.upper()) for c in drop.columns}
    after = {(c.name, c.type.upper()) for c in new.columns}
    shared = len(before & after)
    if shared < _LEAST_COLUMNS:
        return
    old, name = drop.table or "", new.table or ""
    seen = {"same columns": shared / len(before | after), "similar name": alike(old, name)}
    rename = Rename(kind="table", schema=drop.schema, table=old, old=old, new=name)
    yield _scored(rename, seen, TABLE_WEIGHTS)
