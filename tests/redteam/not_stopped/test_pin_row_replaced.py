"""Somebody who may write rulezero's files, replacing the PIN in its store"""

import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="rulezero as another operating-system user, which alone may write its store",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_a_replaced_pin_is_a_pin(world: Any, changed: Any, drop: Any, state: Any) -> None:
    world.enroll()
    world.project.protected = True
    plan_id = world.pending(drop)
    with sqlite3.connect(state) as store:
        store.execute("UPDATE rulezero_pins SET hash = 'mallory''s'")
    world.answered(world.asked(plan_id), "mallory's", typed="tasks 3")
    with changed(world.database):
        world.applied(plan_id, world.collected(plan_id))
