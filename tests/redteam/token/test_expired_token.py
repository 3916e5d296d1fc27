"""A token kept for later"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a grant lives for minutes", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_an_expired_token_runs_nothing(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.clock.forward(seconds=600)
    with untouched(world.database):
        assert "expired" in world.refused(plan_id, token)
    assert "expired" in world.last()
