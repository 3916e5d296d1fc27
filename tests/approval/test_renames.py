"""Renames on the page: each is answered either way, and neither answer comes about by itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rulezero_policies.plan import Plan
from rulezero_policies.renames import Rename, RenameCandidate

pytestmark = pytest.mark.proves("D07", "C02")

CODE = RenameCandidate(
    rename=Rename(kind="column", table="tasks", old="code", new="short_code"),
    score=93,
    evidence=("same type", "same nullability", "similar name", "same place in the table"),
    held="1204 values",
)
NAME = RenameCandidate(
    rename=Rename(kind="column", table="users", old="name", new="label"),
    score=58,
    evidence=("similar type",),
    against=("quite another name", "values that do not fit VARCHAR(20): 2"),
    held="17 values",
    named=True,
)
BOTH = {"tick": ["backed_up", "no_code_references"]}


@pytest.fixture
def renaming(generating: Plan) -> Plan:
    return replace(generating, renames=(CODE, NAME))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"rename_1": "yes"},
        {"rename_1": "maybe", "rename_2": "no"},
        {"rename_1": ["yes", "no"], "rename_2": "no"},
    ],
    ids=str,
)
def test_what_is_not_said_of_each_is_asked_for_again(
    counter: Any,
    renaming: Plan,
    post: Callable[..., Any],
    ticket: Callable[..., str],
    pin: str,
    said: dict[str, Any],
) -> None:
    url = counter.url(renaming)
    answer = {"do": "approve", "pin": pin, **BOTH, **said}
    reply = post(url, {**answer, "ticket": ticket(url)})
    assert reply.status == 422
    assert "it does not say whether" in reply.text
    assert reply.text.count(" checked") == 2 + (said == {"rename_1": "yes"}) + (
        said.get("rename_2") == "no"
    )
    assert (counter.answer().answer, counter.answer().chosen) == (None, ())


def test_each_is_decided_with_its_evidence_beside_it(
    counter: Any, renaming: Plan, tab: Page, pin: str
) -> None:
    tab.goto(counter.url(renaming))
    radios = tab.get_by_role("radio")
    assert [radio.is_checked() for radio in radios.all()] == [False] * 4
    first = tab.get_by_role("group", name="Is short_code the new name of tasks.code?")
    expect(first).to_contain_text("Likeness 93 of 100. For it: same type, same nullability")
    expect(first).to_contain_text("No. tasks.code is dropped with 1204 values.")
    expect(tab.locator(".note.bad").first).to_contain_text("Not if you call it a rename.")
    for box in tab.get_by_role("checkbox").all():
        box.check()
    tab.fill("#pin", pin)
    tab.click("#by-pin")
    expect(tab.get_by_role("heading", name="Your decision")).to_be_visible()
    assert counter.answer().answer is None
    first.get_by_label("No.").check()
    second = tab.get_by_role("group", name="Is label the new name of users.name?")
    expect(second).to_contain_text("below the 70 from which one is proposed")
    expect(second).to_contain_text("The assistant asked for this rename.")
    second.get_by_label("Yes, a rename.").check()
    tab.click("#by-pin")
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()
    assert counter.answer().chosen == ("users.name -> label",)
