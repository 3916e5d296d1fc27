"""Another program of the same user that has the token and calls itself by the same name"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a transport that says who is calling; a client names itself, and a "
        "token in its hands is a token",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_a_client_is_known_by_the_name_it_gives_itself(world: Any, changed: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id, world.session(principal="ann@desk via claude"))
    impostor = world.session(principal="ann@desk via claude")
    with changed(world.database):
        assert world.applied(plan_id, token, impostor).status == "applied"
