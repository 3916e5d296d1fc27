"""A destructive plan accepted without the words, or with words that only look like them"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="what destroys data is typed out, in exactly those words", level="client"
    ),
    pytest.mark.proves("A13", "C03", "D11"),
]

WORDS = ["", "yes", "yes drop it", "YES, DROP IT", "yes, dr\u043ep it", "yes, drop it!", "no"]


@pytest.mark.parametrize("typed", WORDS)
def test_other_words_drop_nothing(
    world: Any, untouched: Any, yes: Any, drop: Any, typed: str
) -> None:
    session = world.session()
    plan, challenge = asking.open_question(session, world.pending(drop), form=True)
    with untouched(world.database), pytest.raises(AnswerRefused, match="typed words"):
        asking.answer_form(session, plan, challenge, replace(yes, typed=typed))
    assert "approved" not in world.events()
    assert "typed words" in world.last()
