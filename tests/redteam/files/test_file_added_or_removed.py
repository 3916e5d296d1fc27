"""A revision slipped in, or one taken away, after the yes"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the set of files is part of the plan, not only their bytes", level="client"
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


@pytest.mark.parametrize(
    "path", ["migrations/versions/r0.py", "migrations/versions/sitecustomize.py"]
)
def test_one_file_more_is_another_plan(world: Any, untouched: Any, path: str) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.project.contents[path] = b"DROP TABLE tasks"
    with untouched(world.database):
        assert "is new" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()


def test_one_file_less_is_another_plan(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    del world.project.contents["migrations/versions/r1.py"]
    with untouched(world.database):
        assert "r1.py is gone" in world.refused(plan_id, token)
