"""Asking the same thing sixty times, hoping for one tired yes that opens everything"""

from typing import Any

import pytest

from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="a yes is worth one plan, once, for minutes; asking again opens no "
        "second question",
        level="client",
    ),
    pytest.mark.proves("C03", "D11"),
]


def test_a_tired_yes_opens_one_plan_once(world: Any, untouched: Any, drop: Any) -> None:
    session = world.session()
    harmless, dropping = world.pending(), world.pending(drop)
    asked = {asking.open_question(session, harmless, form=True)[1].nonce for _ in range(60)}
    assert len(asked) == 1
    assert world.events().count("asked") == 1
    token = world.said_yes(harmless)
    with untouched(world.database):
        assert "another plan" in world.refused(dropping, token)
    assert "another plan" in world.last()
