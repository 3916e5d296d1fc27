"""An answer kept until nobody remembers the question"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="a question is open for minutes", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


@pytest.mark.parametrize("seconds", [600, -1])
def test_a_late_answer_approves_nothing(world: Any, untouched: Any, yes: Any, seconds: int) -> None:
    session = world.session()
    plan, challenge = asking.open_question(session, world.pending(), form=True)
    world.clock.forward(seconds=seconds)
    with untouched(world.database), pytest.raises(AnswerRefused, match="had expired"):
        asking.answer_form(session, plan, challenge, yes)
    assert "approved" not in world.events()
    assert "had expired" in world.last()
