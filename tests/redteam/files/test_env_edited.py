"""`env.py` edited after the yes"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="the hash of `env.py` is part of the plan", level="client"),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_another_env_is_another_plan(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.project.contents["migrations/env.py"] = b"import os; os.system('alembic upgrade')"
    with untouched(world.database):
        assert "env.py changed" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()
