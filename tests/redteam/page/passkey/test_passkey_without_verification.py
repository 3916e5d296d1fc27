"""A passkey that was touched, and did not verify who touched it"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the authenticator must say that it verified the person", level="passkey"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_touch_is_no_person(
    visitor: Any, world: Any, passkey: Any, untouched: Any, drop: Any
) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    text = world.to_sign(plan_id)
    with untouched(world.database):
        signed = passkey.sign(text, origin=visitor.origin(url), verified=False)
        visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3"))
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
    signed = passkey.sign(text, origin=visitor.origin(url))
    assert visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3")).status == 303
