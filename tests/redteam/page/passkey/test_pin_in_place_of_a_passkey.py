"""The PIN, known to the attacker, where a passkey is enrolled and needed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="where a passkey is needed the PIN is not even tried", level="passkey"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_pin_is_no_passkey(
    visitor: Any, world: Any, passkey: Any, untouched: Any, drop: Any
) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        visitor.send(url, visitor.form(url, typed="tasks 3"))
        with pytest.raises(Exception, match="needs level 'passkey'"):
            world.answered(world.asked(plan_id), typed="tasks 3")
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
