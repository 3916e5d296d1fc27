"""A token minted for Ann, redeemed by Bob and by another client of Ann's"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a grant names who may redeem it", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


@pytest.mark.parametrize("thief", ["bob@desk via test", "ann@desk via other", "ANN@desk via test"])
def test_a_token_is_no_bearer_token(world: Any, untouched: Any, thief: str) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with untouched(world.database):
        error = world.refused(plan_id, token, world.session(principal=thief))
        assert "another client" in error
    assert "another client" in world.last()
