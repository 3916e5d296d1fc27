"""The clock set back, to make an expired token or plan good again"""

from typing import Any

import pytest

from rulezero_policies.errors import GateError
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="a token or a plan of the future is refused as one of the past is",
        level="client",
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_token_from_the_future_runs_nothing(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    world.clock.forward(minutes=5)
    token = world.said_yes(plan_id)
    world.clock.forward(minutes=-4)
    with untouched(world.database):
        assert "expired" in world.refused(plan_id, token)
    assert "expired" in world.last()


def test_a_plan_from_the_future_is_not_asked_about(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    world.clock.forward(minutes=-1)
    with untouched(world.database), pytest.raises(GateError, match="expired"):
        asking.open_question(world.session(), plan_id, form=True)
