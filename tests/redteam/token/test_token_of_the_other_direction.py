"""A token for the upgrade, redeemed for the downgrade"""

from typing import Any

import pytest

from rulezero_tools.rollback import rollback

pytestmark = [
    pytest.mark.attack(stopped_by="an upgrade and its downgrade are two plans", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_yes_to_going_on_is_none_to_going_back(world: Any, untouched: Any) -> None:
    up = world.pending()
    token = world.said_yes(up)
    assert world.applied(up, token).status == "applied"
    down = rollback(world.session()).plan_id
    with untouched(world.database):
        assert "another plan" in world.refused(down, token)
    assert "another plan" in world.last()
