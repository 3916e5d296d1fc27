"""A form's yes taken before the person enrolled a PIN, redeemed after"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the level is asked for again when the token is redeemed", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_form_is_not_enough_once_a_pin_is_enrolled(world: Any, untouched: Any, drop: Any) -> None:
    plan_id = world.pending(drop)
    token = world.said_yes(plan_id, given=world.typed())
    world.enroll()
    with untouched(world.database):
        assert "too low a level" in world.refused(plan_id, token)
    assert "too low a level" in world.last()
