"""The right token in other letters: capitals, full-width digits, spaces, a zero-width space"""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a token is compared by the hash of its exact bytes", level="client"
    ),
    pytest.mark.proves("C03", "D11"),
]

CHANGES: list[Callable[[str], str]] = [
    str.upper,
    lambda t: t[:4] + t[4:].upper(),
    lambda t: t + "\n",
    lambda t: " " + t,
    lambda t: t + "\u200b",
    lambda t: t.replace("0", "\uff10"),
    lambda t: t.replace("0", "O"),
    lambda t: t[:-1],
    lambda t: t + "0",
    lambda t: t.replace("rz1_", ""),
    lambda t: "rz1_" + t,
    lambda t: t + "\ud800",
]


@pytest.mark.parametrize("change", CHANGES)
def test_almost_the_token_is_not_the_token(
    world: Any, untouched: Any, change: Callable[[str], str]
) -> None:
    plan_id = world.pending()
    token = change(world.said_yes(plan_id))
    with untouched(world.database):
        assert "TokenRefused" in world.refused(plan_id, token)
    assert world.last().startswith("refused: TokenRefused")
