"""Two revision files swapped after the yes: the same bytes, in another order"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="each path is bound to its own hash", level="client"),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_the_same_bytes_elsewhere_are_another_plan(world: Any, untouched: Any, drop: Any) -> None:
    world.pending()
    plan_id = world.pending(drop)
    plan = world.plan(plan_id)
    token = world.said_yes(plan_id, given=world.typed())
    files = world.project.contents
    first, second = (f"migrations/versions/{name}.py" for name in plan.revisions)
    files[first], files[second] = files[second], files[first]
    with untouched(world.database):
        error = world.refused(plan_id, token)
        assert "r2.py changed" in error
        assert "r3.py changed" in error
    assert "PlanStale" in world.last()
