"""Renames named, left out or swapped by the model, to have old values deleted or misread"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_policies.operations import Column, Operation
from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.generate import generate

pytestmark = [
    pytest.mark.attack(
        stopped_by="the person says of each rename whether it is one, and the token is worth that",
        level="client",
    ),
    pytest.mark.proves("D07", "C02", "C03", "D11"),
]

ID = "tasks.code -> short_code"
OLD, NEW = Column(name="code", type="VARCHAR(20)"), Column(name="short_code", type="VARCHAR(20)")
DROP_AND_ADD = (
    Operation(kind="add_column", table="tasks", column=NEW),
    Operation(kind="drop_column", table="tasks", column=OLD),
)


@pytest.mark.parametrize("named", [(), (ID,)], ids=["left out", "named"])
@pytest.mark.parametrize("said", [True, False], ids=["a rename", "none"])
def test_what_the_model_names_decides_nothing(
    world: Any, named: tuple[str, ...], said: bool
) -> None:
    world.project.wanted = DROP_AND_ADD
    session = world.session()
    analysis = analyze(session).analysis_id
    asked = generate(session, analysis_id=analysis, message="x", renames=named)
    assert (asked.status, list(world.project.chain)) == ("needs_confirmation", ["r1"])
    token = answer(session, asked.plan_id, {"rename_1": said}).token
    swapped = [] if said else [ID]
    generate(session, analysis_id=analysis, message="x", token=token, renames=swapped)
    assert world.project.renamed == [[ID] if said else []]


@pytest.mark.parametrize("decided", [{}, {"rename_1": 1}, {"rename_1": "yes"}, {ID: True}], ids=str)
def test_what_is_no_answer_to_each_writes_nothing(
    world: Any, untouched: Any, decided: dict[str, Any]
) -> None:
    world.project.wanted = DROP_AND_ADD
    session = world.session()
    asked = generate(session, analysis_id=analyze(session).analysis_id, message="x")
    with untouched(world.database), pytest.raises(AnswerRefused, match="whether"):
        answer(session, asked.plan_id, decided)
    assert list(world.project.chain) == ["r1"]
    assert "approved" not in world.events()


def answer(session: Any, plan_id: str | None, decided: dict[str, Any]) -> Any:
    plan, challenge = asking.open_question(session, plan_id or "", form=True)
    given = asking.FormAnswer(
        action="accept",
        approve=True,
        ticked=frozenset({"backed_up", "no_code_references", "meant_as_drops"}),
        decided=decided,
    )
    return asking.answer_form(session, plan, challenge, given)
