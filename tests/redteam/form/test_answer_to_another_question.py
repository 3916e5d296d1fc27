"""The answer to a harmless plan, given for a destructive one"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="a question names the digest of its plan", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_yes_to_one_plan_is_none_to_another(
    world: Any, untouched: Any, yes: Any, drop: Any
) -> None:
    session = world.session()
    _, harmless = asking.open_question(session, world.pending(), form=True)
    plan, _ = asking.open_question(session, world.pending(drop), form=True)
    with untouched(world.database), pytest.raises(AnswerRefused, match="another question"):
        asking.answer_form(session, plan, harmless, yes)
    assert "approved" not in world.events()
    assert "another question" in world.last()
