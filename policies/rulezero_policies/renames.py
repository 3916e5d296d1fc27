"""Drops and adds that may be renames, scored by what speaks for it; a person decides."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.column_types import compare, similar
from rulezero_policies.findings import Fact
from rulezero_policies.fitting import Pair, fits, held, pairs
from rulezero_policies.likeness import Known, alike, carried
from rulezero_policies.operations import Column, Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.references import ModelClass

MOST = 5
"""Candidates that are put to a person, beside those that were named."""

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
    "its values fit": 20,
}
"""What each kind of evidence counts; what is not known counts neither way, the rest is 100."""

AGAINST: Mapping[str, str] = {
    "same nullability": "another nullability",
    "same server default": "another server default",
    "similar name": "quite another name",
    "same place in the table": "another place in the table",
    "same indexes and constraints": "other indexes or constraints",
    "same columns": "few columns in common",
}
"""How it is said that a kind of evidence speaks against a rename."""

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
    def subject(self) -> str:
        """What is dropped where it is no rename, as operations and findings name it."""
        table = f"{self.schema}.{self.table}" if self.schema else self.table
        return f"{table}.{self.old}" if self.kind == "column" else table

    @property
    def id(self) -> str:
        """The name by which a candidate is taken up."""
        return f"{self.subject} -> {self.new}"

    @property
    def code(self) -> str:
        """The line that renames, for a revision file."""
        schema = f", schema={self.schema!r}" if self.schema else ""
        if self.kind == "table":
            return f"op.rename_table({self.old!r}, {self.new!r}{schema})"
        return (
            f"op.alter_column({self.table!r}, {self.old!r}, new_column_name={self.new!r}{schema})"
        )

    def clashes(self, other: "Rename") -> bool:
        """Whether both cannot be: they want the same name, or rename the same thing."""
        same = (self.kind, self.schema, self.table) == (other.kind, other.schema, other.table)
        place = (self.kind, self.schema, self.new) == (other.kind, other.schema, other.new)
        tables = self.kind == "table" and place
        clash = tables or (same and (self.old == other.old or self.new == other.new))
        return self != other and clash


@dataclass(frozen=True, kw_only=True)
class RenameCandidate:
    """A drop and an add that may be a rename, with what speaks for and against it, of 100.

    `held` is what is deleted where it is none. `ambiguous` tells that another candidate for the old
    or the new name is about as good; `named`, that the client asked for it: it is then put to the
    person whatever its score is.
    """

    rename: Rename
    score: int
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    held: str = "all that is in it"
    ambiguous: bool = False
    named: bool = False


def candidates(
    operations: Iterable[Operation],
    live: Iterable[LiveTable] = (),
    models: Iterable[ModelClass] = (),
    *,
    facts: Iterable[Fact] = (),
    named: Iterable[str] = (),
) -> tuple[RenameCandidate, ...]:
    """The likely renames among the drops and adds of a model diff, the best first.

    Args:
        operations: What autogenerate proposes; nothing that renames already.
        live: The tables as they stand, for the place of a dropped column.
        models: The project's classes, for the place of an added one.
        facts: What was counted of the old columns (`fitting.questions`) and tables.
        named: Ids that are candidates whatever their score is, where there is such a pair.
    """
    steps, wanted, counted = tuple(operations), frozenset(named), tuple(facts)
    tables = [c for c in _tables(steps, counted) if c.score >= BAR or c.rename.id in wanted]
    known = Known(
        live=tuple(live),
        models=tuple(models),
        renamed={c.rename.old: c.rename.new for c in tables},
        facts=counted,
    )
    columns = (c for c in _columns(steps, known) if c.score >= BAR or c.rename.id in wanted)
    asked = (replace(c, named=c.rename.id in wanted) for c in (*tables, *columns))
    best = sorted(asked, key=lambda c: (not c.named, -c.score))
    most = max(MOST, sum(c.named for c in best))
    return tuple(replace(c, ambiguous=_rivalled(c, best)) for c in best[:most])


def _rivalled(one: RenameCandidate, others: list[RenameCandidate]) -> bool:
    mine = one.rename
    return any(
        (o.rename.kind, o.rename.schema, o.rename.table) == (mine.kind, mine.schema, mine.table)
        and (o.rename.old == mine.old) != (o.rename.new == mine.new)
        and abs(o.score - one.score) <= NEAR
        for o in others
    )


def _columns(steps: tuple[Operation, ...], known: Known) -> Iterator[RenameCandidate]:
    for pair in pairs(steps):
        yield from _column(pair, steps, known)


def _column(pair: Pair, steps: tuple[Operation, ...], known: Known) -> Iterator[RenameCandidate]:
    old, new = pair.old, pair.new
    fit = fits(pair, steps, known.facts)
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
        "same indexes and constraints": carried(pair, steps, known),
        "its values fit": fit.counts,
    }
    rename = Rename(
        kind="column",
        schema=pair.drop.schema,
        table=pair.drop.table or "",
        old=old.name,
        new=new.name,
    )
    found = _scored(rename, seen, WEIGHTS)
    evidence = tuple(e for e in found.evidence if e != "its values fit")
    yield replace(
        found,
        evidence=(*evidence, *fit.speaks_for),
        against=(*found.against, *fit.against),
        held=held(pair.place, old.name, known.facts),
    )


_SOME_LIKENESS = 0.5


def column_score(old: Column, new: Column) -> int:
    """The score of two columns by their definitions alone."""
    drop = Operation(kind="drop_column", table="t", column=old)
    add = Operation(kind="add_column", table="t", column=new)
    found = _column(Pair(drop=drop, add=add, old=old, new=new), (), Known())
    return next((c.score for c in found), 0)


def type_evidence(old: Column, new: Column) -> str | None:
    """What the types say; None where no value would fit."""
    # A database writes some types otherwise than a model: MariaDB's INTEGER(11), say.
    if old.type.upper() == new.type.upper() or compare(old.type, new.type) == "same":
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
        against=tuple(
            AGAINST[what] for what, how in known.items() if how < _SOME_LIKENESS and what in AGAINST
        ),
    )


def _tables(steps: tuple[Operation, ...], facts: tuple[Fact, ...]) -> Iterator[RenameCandidate]:
    created = [o for o in steps if o.kind == "create_table"]
    for drop in (o for o in steps if o.kind == "drop_table"):
        for new in created:
            if new.schema == drop.schema and new.table != drop.table:
                for found in _table(drop, new):
                    yield replace(found, held=held((drop.schema, drop.table or ""), None, facts))


def _table(drop: Operation, new: Operation) -> Iterator[RenameCandidate]:
    before = {c.name: c for c in drop.columns}
    both = [(before[c.name], c) for c in new.columns if c.name in before]
    shared = sum(type_evidence(one, other) == "same type" for one, other in both)
    columns = len(drop.columns) + len(new.columns) - shared
    if shared < _LEAST_COLUMNS:
        return
    old, name = drop.table or "", new.table or ""
    seen = {"same columns": shared / columns, "similar name": alike(old, name)}
    rename = Rename(kind="table", schema=drop.schema, table=old, old=old, new=name)
    yield _scored(rename, seen, TABLE_WEIGHTS)
