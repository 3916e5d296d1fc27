"""A token used a second time, the database put back behind the gate's back"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a grant is spent once, before anything runs; a repeat answers with the"
        " recorded outcome",
        level="client",
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_spent_token_runs_nothing_again(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    assert world.applied(plan_id, token).status == "applied"
    world.database.connection.executescript(
        "ALTER TABLE tasks DROP COLUMN notes; UPDATE alembic_version SET version_num = 'r1'"
    )
    world.clock.forward(seconds=1)
    with untouched(world.database):
        assert world.applied(plan_id, token).repeated
        fresh = world.reviewed()
        assert "TokenRefused" in world.refused(fresh, token)
    assert len(world.runs) == 1
    assert world.events().count("spent") == 1
