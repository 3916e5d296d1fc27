"""Another user's page, with that user's own PIN, for Ann's question"""

from typing import Any

import pytest

from rulezero_policies.errors import GateError
from rulezero_tools import answering, enrolment

pytestmark = [
    pytest.mark.attack(
        stopped_by="a question may be answered by the person it was put to", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_bobs_pin_is_no_yes_of_anns(world: Any, untouched: Any, drop: Any, parts: Any) -> None:
    world.enroll()
    plan_id = world.pending(drop)
    asked = world.asked(plan_id)
    bob = world.session(person="bob@desk")
    world.enroll(bob)
    with untouched(world.database):
        assert answering.waiting(bob.desk) == ()
        proof = enrolment.prove_by_pin(
            bob.desk, parts.PlainHasher(), asked.challenge, parts.PIN, channel="approval page"
        )
        with pytest.raises(GateError, match="needs level"):
            answering.approve(bob.desk, asked, proof, typed="tasks 3")
    assert "answered" not in world.events()
