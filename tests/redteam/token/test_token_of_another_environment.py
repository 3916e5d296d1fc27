"""A token for staging, redeemed in production"""

from dataclasses import replace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a plan belongs to one environment", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_token_opens_no_other_environment(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    production = world.session(project=replace(world.project, environment="production"))
    with untouched(world.database):
        assert "UnknownPlan" in world.refused(plan_id, token, production)
        assert "TokenRefused" in world.refused(world.reviewed(production), token, production)
    assert world.last().startswith("refused")
