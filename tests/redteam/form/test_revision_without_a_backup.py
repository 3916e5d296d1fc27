"""A destructive revision generated without the backup being confirmed"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.generate import generate

pytestmark = [
    pytest.mark.attack(
        stopped_by="both boxes are ticked before a destructive revision is written", level="client"
    ),
    pytest.mark.proves("A09", "C03", "D11"),
]

TICKED: list[frozenset[str]] = [
    frozenset(),
    frozenset({"backed_up"}),
    frozenset({"no_code_references"}),
]


@pytest.mark.parametrize("ticked", TICKED, ids=lambda t: "+".join(sorted(t)) or "nothing")
def test_without_both_no_file_is_written(
    world: Any, untouched: Any, drop: Any, ticked: Any
) -> None:
    world.project.wanted = (drop,)
    session = world.session()
    analysis = analyze(session)
    asked = generate(session, analysis_id=analysis.analysis_id, message="drop code")
    plan, challenge = asking.open_question(session, asked.plan_id or "", form=True)
    given = asking.FormAnswer(action="accept", approve=True, ticked=ticked)
    with untouched(world.database), pytest.raises(AnswerRefused):
        asking.answer_form(session, plan, challenge, given)
    assert list(world.project.chain) == ["r1"]
    assert "approved" not in world.events()
