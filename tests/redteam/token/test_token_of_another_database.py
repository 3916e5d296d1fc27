"""A token for one database, redeemed when the configuration leads to another"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the database says itself who it is, at the review and again before the run",
        level="client",
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]


@pytest.mark.parametrize("to", [{"host": "127.0.0.1"}, {"server_id": "9/9"}, {"server_id": None}])
def test_a_token_runs_on_no_other_database(world: Any, untouched: Any, to: dict[str, Any]) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    for name, value in to.items():
        setattr(world.project, name, value)
    with untouched(world.database):
        assert "the database was" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()
