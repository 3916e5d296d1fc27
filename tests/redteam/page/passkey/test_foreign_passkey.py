"""A passkey that was never enrolled, under the id of one that was"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a passkey counts if it was enrolled, by its public key", level="passkey"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_key_of_somebody_elses_is_refused(
    visitor: Any, world: Any, passkey: Any, untouched: Any, drop: Any
) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    stranger = type(passkey)(id=passkey.id)
    unknown = type(passkey)(id=b"unknown")
    with untouched(world.database):
        for key in (stranger, unknown):
            signed = key.sign(world.to_sign(plan_id), origin=visitor.origin(url))
            visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3"))
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
