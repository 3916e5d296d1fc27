"""The same yes sent twice, to have two tokens from one question"""

from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="a question is answered once", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_one_question_gives_one_token(world: Any, untouched: Any, yes: Any) -> None:
    session = world.session()
    plan, challenge = asking.open_question(session, world.pending(), form=True)
    asking.answer_form(session, plan, challenge, yes)
    with untouched(world.database):
        for _ in range(3):
            with pytest.raises(AnswerRefused, match="answered before"):
                asking.answer_form(session, plan, challenge, yes)
    assert world.events().count("approved") == 1
    assert "answered before" in world.last()
