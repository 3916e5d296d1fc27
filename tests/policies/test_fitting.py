"""What the old values say of a new name: whether they could stand there at all."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.findings import Fact, Question
from rulezero_policies.fitting import Fit, fits, held, pairs, questions
from rulezero_policies.operations import Column, Constraint, Index, Operation
from rulezero_policies.renames import BAR, candidates

OLD = Column(name="mail", type="VARCHAR(50)")
SAME = Column(name="email", type="VARCHAR(50)")
STRICT = Column(name="email", type="VARCHAR(20)", nullable=False)
PLACE = (None, "users")


def steps(new: Column, *more: Operation, old: Column = OLD) -> tuple[Operation, ...]:
    return (
        Operation(kind="drop_column", table="users", column=old),
        Operation(kind="add_column", table="users", column=new),
        *more,
    )


def unique(kind: str, column: str, *, index: bool) -> Operation:
    held: dict[str, Any] = {"constraint": Constraint(kind="unique", columns=(column,))}
    if index:
        held = {"index": Index(name="ix", columns=(column,), unique=True)}
    name = f"{kind}_{'index' if index else 'constraint'}"
    return Operation(kind=name, table="users", **held)  # type: ignore[arg-type]


def asked(*operations: Operation, new: str = "email") -> list[str]:
    return [q.probe for q in questions([(PLACE, "mail", new)], operations)]


def facts(**counts: int | None) -> list[Fact]:
    """Answers about `mail`, each question as it would be asked."""
    of: dict[str, Any] = {
        "misfits": {"column": "mail", "type": "VARCHAR(20)"},
        "duplicates": {"columns": ("mail",)},
    }
    return [
        Fact(
            question=probe,
            count=count,
            asked=Question(probe=probe, table="users", **of.get(probe, {"column": "mail"})),  # type: ignore[arg-type]
        )
        for probe, count in counts.items()
    ]


def fit(new: Column, *more: Operation, **counts: int | None) -> Fit:
    operations = steps(new, *more)
    return fits(next(pairs(operations)), operations, facts(**counts))


@pytest.mark.proves("D07")
def test_it_is_asked_what_the_new_column_would_refuse_and_nothing_else() -> None:
    assert asked(*steps(SAME)) == ["values"]
    assert asked(*steps(STRICT)) == ["values", "misfits", "nulls"]
    for index in (True, False):
        made = unique("create", "email", index=index)
        assert asked(*steps(SAME, made)) == ["values", "duplicates"]
        was = unique("drop", "mail", index=index)
        assert asked(*steps(SAME, made, was)) == ["values"]
        elsewhere = replace(made, table="teams")
        assert asked(*steps(SAME, elsewhere)) == ["values"]
    assert asked(*steps(SAME), new="other") == []
    teams = Operation(kind="add_column", table="teams", column=SAME)
    assert asked(steps(SAME)[0], teams) == []


@pytest.mark.proves("D07")
def test_values_that_fit_speak_for_a_rename_and_those_that_do_not_against_it() -> None:
    good = fit(STRICT, values=1204, misfits=0, nulls=0)
    assert good.speaks_for == ("every value fits VARCHAR(20)", "no NULL, as email wants it")
    assert (good.against, good.counts) == ((), 1.0)
    bad = fit(STRICT, values=1204, misfits=2, nulls=0)
    assert bad.speaks_for == ("no NULL, as email wants it",)
    assert bad.against == ("values that do not fit VARCHAR(20): 2",)
    assert bad.counts == 0.0
    made = unique("create", "email", index=False)
    assert fit(SAME, made, values=5, duplicates=3).against == (
        "values that stand more than once, where email is unique: 3",
    )


def test_what_could_not_be_counted_is_said_and_counts_neither_way() -> None:
    unknown = fit(STRICT, values=1204, misfits=None)
    assert unknown.counts is None
    assert unknown.against == ("whether the values fit VARCHAR(20) could not be counted",)
    assert fit(STRICT, values=0, misfits=0) == Fit()
    assert fit(STRICT, misfits=0) == Fit()
    assert fit(SAME, values=3) == Fit()


@pytest.mark.proves("D07")
def test_a_value_that_does_not_fit_takes_a_candidate_below_the_bar() -> None:
    new = replace(STRICT, nullable=True)
    known = facts(values=1204, misfits=0)
    before = candidates(steps(new))[0]
    good = candidates(steps(new), facts=known)[0]
    assert good.score > before.score >= BAR
    assert "every value fits VARCHAR(20)" in good.evidence
    assert "its values fit" not in good.evidence
    assert candidates(steps(new), facts=facts(values=1204, misfits=2)) == ()


def test_what_goes_with_a_drop_is_counted_or_said_to_be_unknown() -> None:
    def said(count: int | None, *, at_least: bool = False) -> str:
        fact = replace(facts(values=count)[0], at_least=at_least)
        return held(PLACE, "mail", [fact])

    assert said(1204) == "1204 values"
    assert said(1000, at_least=True) == "at least 1000 values"
    assert said(1) == "1 value"
    assert said(0) == "no value in it now"
    assert said(None) == held(PLACE, "mail", []) == "an unknown number of values"
    rows = Fact(question="rows", count=7, asked=Question(probe="rows", table="users"))
    assert held(PLACE, None, [rows]) == "7 rows"
