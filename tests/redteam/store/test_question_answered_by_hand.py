"""A question's row answered by hand: approved, by passkey"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="a yes counts only with its entry in the audit trail", level="secret"
    ),
    pytest.mark.proves("D04", "D10", "C03", "D11"),
]


def test_a_row_is_no_yes(world: Any, untouched: Any, drop: Any) -> None:
    world.enroll()
    plan_id = world.pending(drop)
    asked = world.asked(plan_id)
    world.store.answer_challenge(
        asked.challenge.nonce,
        "approved",
        level="passkey",
        approver="ann@desk",
        through="approval page",
    )
    with untouched(world.database), pytest.raises(AnswerRefused, match="no such answer"):
        asking.collect(world.session(), asked.plan, asked.challenge)
    assert "approved" not in world.events()
    assert "no such answer" in world.last()
