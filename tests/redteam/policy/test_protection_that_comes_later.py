"""A form's yes taken while the environment was not marked as protected, redeemed after"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="whether the environment is protected is looked at again before the run",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_form_does_not_outlive_the_mark(world: Any, untouched: Any) -> None:
    world.project.protected = False
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.project.protected = True
    with untouched(world.database):
        assert "PlanStale" in world.refused(plan_id, token)
    assert "protected" in world.last()
