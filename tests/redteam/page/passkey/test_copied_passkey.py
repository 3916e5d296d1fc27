"""A copy of the passkey, which has signed less often"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="an authenticator's counter does not go back", level="passkey"),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_counter_that_goes_back_is_refused(
    visitor: Any, world: Any, passkey: Any, untouched: Any, drop: Any
) -> None:
    world.project.protected = True
    first = world.pending(drop)
    url = visitor.url(first)
    passkey.count = 5
    signed = passkey.sign(world.to_sign(first), origin=visitor.origin(url))
    assert visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3")).status == 303
    world.collected(first)
    world.clock.forward(seconds=1)
    second = world.reviewed()
    again = visitor.url(second)
    passkey.count = 2
    with untouched(world.database):
        signed = passkey.sign(world.to_sign(second), origin=visitor.origin(again))
        visitor.send(again, visitor.form(again, passkey=signed, typed="tasks 3"))
    assert world.events().count("answered") == 1
