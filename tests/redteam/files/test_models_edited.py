"""The models that a revision imports edited after the yes"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the hash of every module that the review loaded is part of the plan",
        level="client",
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_other_models_are_another_plan(world: Any, untouched: Any) -> None:
    world.project.contents["todo/models.py"] = b"class Task: ..."
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.project.contents["todo/models.py"] = b"class Task: drop = True"
    with untouched(world.database):
        assert "models.py changed" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()
