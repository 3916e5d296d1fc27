"""A PIN or a passkey of the attacker's enrolled beside the person's own"""

from typing import Any

import pytest

from rulezero_policies.errors import GateError
from rulezero_tools import enrolment

pytestmark = [
    pytest.mark.attack(
        stopped_by="what is enrolled is replaced only by who has it", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_new_pin_needs_the_old_one(world: Any, untouched: Any, parts: Any) -> None:
    world.enroll()
    desk = world.session().desk
    with untouched(world.database):
        for old in (None, "", "a guess"):
            with pytest.raises(GateError):
                enrolment.enroll_pin(desk, parts.PlainHasher(), "mallory's own", old=old)
    assert parts.PlainHasher().matches(world.store.pin("ann@desk").hash, parts.PIN)


def test_no_pin_is_put_beside_a_passkey(
    world: Any, untouched: Any, parts: Any, soft_key: Any
) -> None:
    desk = world.session().desk
    enrolment.enroll_passkey(desk, soft_key.passkey("ann@desk"))
    with untouched(world.database), pytest.raises(GateError, match="weaker"):
        enrolment.enroll_pin(desk, parts.PlainHasher(), "mallory's own")
    assert world.store.pin("ann@desk") is None
