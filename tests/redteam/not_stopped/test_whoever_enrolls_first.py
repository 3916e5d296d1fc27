"""Somebody with a shell who enrolls a PIN before the person does"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the person enrolls before the assistant has a shell; `rulezero enroll`"
        " leaves an entry in the audit trail",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_the_first_pin_is_anybodys(world: Any, changed: Any, drop: Any) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    world.enroll()
    asked = world.asked(plan_id)
    world.answered(asked, typed="tasks 3")
    with changed(world.database):
        world.applied(plan_id, world.collected(plan_id))
    assert "enrolled" in world.events()
