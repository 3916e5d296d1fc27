"""A change in phases: what is said of a swap, and what a person attests."""

import dataclasses

import pytest

from rulezero_policies.findings import Finding
from rulezero_policies.losses import Acts
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.plan import Plan
from rulezero_policies.policy import DEPLOYED_PHRASE, DROP_PHRASE, phrases, to_type
from rulezero_policies.rules import review
from rulezero_policies.scene import Scene
from rulezero_policies.words import safer_question

pytestmark = pytest.mark.proves("A15")

DROP = Finding(
    rule="drop-column",
    severity="CRITICAL",
    subject="orders.amount_old",
    evidence="e",
    outcome="loses_data",
    fix="f",
)


def rename(old: str, new: str) -> Operation:
    change = Change(attribute="name", before=old, after=new)
    column = Column(name=old, type="TEXT")
    return Operation(kind="alter_column", table="orders", column=column, changes=(change,))


def said(*operations: Operation) -> dict[str, tuple[str, str]]:
    found = review(Scene(dialect="postgresql", upgrade=operations))
    return {f.subject: (f.severity, f.evidence) for f in found if f.rule == "rename-live"}


def test_a_swap_is_told_from_a_rename() -> None:
    found = said(rename("amount", "amount_old"), rename("amount_new", "amount"))
    away = "the column is renamed to amount_old, and another one takes its name at once"
    assert found["orders.amount"] == ("WARNING", away)
    assert found["orders.amount_new"] == (
        "WARNING",
        "the column takes the name amount of another one",
    )


def test_a_rename_beside_another_is_still_one() -> None:
    found = said(rename("amount", "sum"), rename("state", "status"))
    assert {severity for severity, _ in found.values()} == {"CRITICAL"}


def test_the_values_of_a_swapped_name_are_those_of_another_column() -> None:
    swap = (rename("amount", "amount_old"), rename("amount_new", "amount"))
    assert ("orders", "amount") in Acts(sent=(), operations=swap, dialect="postgresql").retyped
    one = Acts(sent=(), operations=swap[:1], dialect="postgresql")
    assert one.retyped == frozenset()


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("UPDATE orders SET amount = amount WHERE id < 3", set[str]()),
        ("UPDATE orders SET amount = state WHERE id < 3", {"row-changes"}),
        ("UPDATE orders SET amount = amount + 1 WHERE id < 3", {"row-changes"}),
    ],
)
def test_a_value_that_is_written_again_is_not_lost(sql: str, rules: set[str]) -> None:
    found = review(Scene(dialect="postgresql", upgrade=(Operation(kind="execute", sql=sql),)))
    assert {f.rule for f in found} & {"row-changes", "opaque"} == rules


def test_who_relies_on_deployed_code_says_that_it_is(plan: Plan) -> None:
    assert phrases((), deployed=True) == (DEPLOYED_PHRASE,)
    assert phrases((DROP,), deployed=True) == ("yes, it is deployed, drop it",)
    assert phrases((DROP,)) == (DROP_PHRASE,)
    attested = dataclasses.replace(plan, phrases=(DEPLOYED_PHRASE,))
    assert to_type(attested) == DEPLOYED_PHRASE
    dropping = dataclasses.replace(attested, findings=(DROP,), facts=())
    assert to_type(dropping) == "yes, it is deployed, orders.amount_old"


def test_the_safer_approach_is_offered_by_its_phases() -> None:
    told = safer_question(["x (1 of 2: expand)", "x (2 of 2: switch)"])
    assert told.startswith("Use safer approach? (yes/no) It is 2 revisions (expand, switch)")


def test_tables_are_read_behind_lock_tables() -> None:
    lock = Operation(kind="execute", sql="LOCK TABLES `orders` WRITE")
    found = review(Scene(dialect="mysql", upgrade=(lock,)))
    assert [f.subject for f in found if f.rule == "maintenance"] == ["orders"]
