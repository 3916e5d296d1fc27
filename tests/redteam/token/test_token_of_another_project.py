"""A token for one project, redeemed in a copy of it"""

from dataclasses import replace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a plan belongs to one project folder", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_token_opens_no_other_project(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    copy = world.session(project=replace(world.project, name="/projects/copy"))
    with untouched(world.database):
        assert "UnknownPlan" in world.refused(plan_id, token, copy)
        assert "another plan" in world.refused(world.reviewed(copy), token, copy)
    assert world.last().startswith("refused: TokenRefused")
