"""Only a run that stands half done is gone on with or undone, whatever a client names."""

from typing import Any

import pytest

from rulezero_policies.errors import NothingHalfDone, UnknownPlan
from rulezero_tools import asking
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.review import review
from rulezero_tools.rollback import rollback

pytestmark = pytest.mark.proves("A18", "C02")


def resumed(session: Session, plan_id: str) -> object:
    return review(session, resume=plan_id)


def rolled_on(session: Session, plan_id: str) -> object:
    return rollback(session, resume=plan_id)


def undone(session: Session, plan_id: str) -> object:
    return rollback(session, undo=plan_id)


WAYS = (resumed, rolled_on, undone)


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_that_is_not_there_or_never_ran_leaves_nothing_to_go_on_with(
    session: Session, pending: Any, way: Any
) -> None:
    with pytest.raises(UnknownPlan):
        way(session, "plan-of-nobody'; DROP TABLE tasks; --")
    plan_id = pending(session)
    with pytest.raises(NothingHalfDone, match="no run left anything there"):
        way(session, plan_id)
    assert session.store.entries()[-1].event == "refused"


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_went_through_leaves_nothing_to_go_on_with(
    session: Session, runner: Any, pending: Any, way: Any
) -> None:
    plan, challenge = asking.open_question(session, pending(session), form=True)
    yes = asking.FormAnswer(action="accept", approve=True)
    token = asking.answer_form(session, plan, challenge, yes).token or ""
    assert apply(session, runner, plan_id=plan.plan_id, token=token).status == "applied"
    with pytest.raises(NothingHalfDone, match="its run ended: applied"):
        way(session, plan.plan_id)
    assert len(runner.runs) == 1
