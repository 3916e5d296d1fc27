"""What the values of a dropped column say of the column that may be its new name.

The added column is not in the database yet, so that its values cannot be compared with the old
ones. What can be counted is whether the old values could stand in the new column at all: whether
they fit its type, its NOT NULL and its uniqueness.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rulezero_policies.column_types import compare
from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Column, Operation
from rulezero_policies.steps import Place


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A dropped and an added column of one table."""

    drop: Operation
    add: Operation
    old: Column
    new: Column

    @property
    def place(self) -> Place:
        """The table."""
        return self.drop.schema, self.drop.table or ""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was counted, in words; `counts` is None where there was nothing to count."""

    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    counts: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Test:
    """A question whose answer should be zero, and how both answers are said."""

    question: Question
    good: str
    bad: str
    unknown: str


def questions(
    wanted: Iterable[tuple[Place, str, str]], operations: Iterable[Operation]
) -> tuple[Question, ...]:
    """What to count before candidates are put to a person.

    Args:
        wanted: Table, old and new column of each of them.
        operations: What autogenerate proposes.
    """
    names, steps = frozenset(wanted), tuple(operations)
    found = (p for p in pairs(steps) if (p.place, p.old.name, p.new.name) in names)
    return tuple(dict.fromkeys(q for p in found for q in _asked(p, steps)))


def pairs(steps: Sequence[Operation]) -> Iterator[Pair]:
    """Every drop of a column with every add to the same table."""
    adds = [o for o in steps if o.kind == "add_column"]
    for drop in (o for o in steps if o.kind == "drop_column"):
        for add in adds:
            same = (drop.schema, drop.table) == (add.schema, add.table)
            if same and drop.column and add.column:
                yield Pair(drop=drop, add=add, old=drop.column, new=add.column)


def _asked(pair: Pair, steps: Sequence[Operation]) -> Iterator[Question]:
    yield _values(pair.place, pair.old.name)
    yield from (test.question for test in _tests(pair, steps))


def _values(place: Place, column: str) -> Question:
    return Question(probe="values", table=place[1], schema=place[0], column=column)


def fits(pair: Pair, operations: Sequence[Operation], facts: Iterable[Fact]) -> Fit:
    """Whether the values of the old column could stand in the new one, as far as it was counted."""
    known = {fact.asked: fact for fact in facts}
    values = known.get(_values(pair.place, pair.old.name))
    if values is None or values.count == 0:
        return Fit()
    told = [(t, known[t.question]) for t in _tests(pair, operations) if t.question in known]
    counted = [(test, fact) for test, fact in told if fact.count is not None]
    bad = tuple(_said(test.bad, fact) for test, fact in counted if fact.count)
    return Fit(
        speaks_for=tuple(test.good for test, fact in counted if not fact.count),
        against=(*bad, *(test.unknown for test, fact in told if fact.count is None)),
        counts=float(not bad) if counted else None,
    )


def _said(words: str, fact: Fact) -> str:
    return words.format(amount=fact.amount)


def _tests(pair: Pair, operations: Sequence[Operation]) -> Iterator[_Test]:
    (schema, table), old, new = pair.place, pair.old, pair.new
    if compare(old.type, new.type) == "narrower":
        yield _Test(
            question=Question(
                probe="misfits", table=table, schema=schema, column=old.name, type=new.type
            ),
            good=f"every value fits {new.type}",
            bad=f"values that do not fit {new.type}: {{amount}}",
            unknown=f"whether the values fit {new.type} could not be counted",
        )
    if old.nullable and not new.nullable:
        yield _Test(
            question=Question(probe="nulls", table=table, schema=schema, column=old.name),
            good=f"no NULL, as {new.name} wants it",
            bad=f"NULLs, where {new.name} is NOT NULL: {{amount}}",
            unknown=f"whether there are NULLs, which {new.name} refuses, could not be counted",
        )
    unique = _unique(operations, pair.place, "create_")
    if new.name in unique and old.name not in _unique(operations, pair.place, "drop_"):
        yield _Test(
            question=Question(probe="duplicates", table=table, schema=schema, columns=(old.name,)),
            good=f"every value stands once, as {new.name} wants it",
            bad=f"values that stand more than once, where {new.name} is unique: {{amount}}",
            unknown=f"whether values stand twice, which {new.name} refuses, could not be counted",
        )


def _unique(operations: Sequence[Operation], place: Place, verb: str) -> frozenset[str]:
    """The columns of which each alone becomes unique, or no longer is."""
    mine = [o for o in operations if (o.schema, o.table or "") == place]
    indexes = (o.index for o in mine if o.kind == f"{verb}index")
    keys = (o.constraint for o in mine if o.kind == f"{verb}constraint")
    of_indexes = (i.columns for i in indexes if i and i.unique)
    of_keys = (k.columns for k in keys if k and k.kind == "unique")
    return frozenset(c[0] or "" for c in (*of_indexes, *of_keys) if len(c) == 1)


def held(place: Place, column: str | None, facts: Iterable[Fact]) -> str:
    """What goes with a column, or with a table, that is dropped."""
    probe = "rows" if column is None else "values"
    asked = Question(probe=probe, table=place[1], schema=place[0], column=column)
    fact = next((f for f in facts if f.asked == asked), None)
    one = "row" if column is None else "value"
    if fact is None or fact.count is None:
        return f"an unknown number of {one}s"
    if fact.count == 0:
        return f"no {one} in it now"
    return f"1 {one}" if fact.amount == "1" else f"{fact.amount} {one}s"
