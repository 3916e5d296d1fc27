"""Two servers on one store, each asked to run what was approved once"""

from typing import Any

import pytest

from rulezero_server.stores import open_store

pytestmark = [
    pytest.mark.attack(stopped_by="the store spends, not the server", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_what_one_server_spent_is_spent_for_all(world: Any, untouched: Any, state: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    other = world.session(store=open_store(state))
    assert world.applied(plan_id, token, other).status == "applied"
    with untouched(world.database):
        assert world.applied(plan_id, token).repeated
    assert len(world.runs) == 1
    assert world.events().count("spent") == 1
