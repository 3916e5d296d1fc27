"""An empty table approved for dropping, and filled before the run"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what was counted as nothing is counted again before the run", level="client"
    ),
    pytest.mark.proves("A07", "D03", "C03", "D11"),
]


def test_a_drop_of_nothing_is_no_drop_of_something(world: Any, untouched: Any, drop: Any) -> None:
    world.database.connection.execute("DELETE FROM tasks")
    plan_id = world.pending(drop)
    token = world.said_yes(plan_id, given=world.typed())
    world.database.connection.execute("INSERT INTO tasks (code) VALUES ('paid')")
    with untouched(world.database):
        assert "was 0, is 1" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()
