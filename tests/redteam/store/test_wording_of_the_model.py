"""Plan ids, tokens and environments that are SQL, paths and format strings"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="names are compared and bound as parameters, never put together into "
        "SQL or paths",
        level="client",
    ),
    pytest.mark.proves("C03", "D11"),
]

WORDS = [
    "' OR 1=1 --",
    "plan-%",
    "../etc/passwd",
    "{0.__class__}",
    "%s%n",
    "\x00",
    "plan-*",
    "\ud800",
]


@pytest.mark.parametrize("words", WORDS)
def test_what_is_said_is_only_compared(world: Any, untouched: Any, words: str) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with untouched(world.database):
        assert "UnknownPlan" in world.refused(words, token)
        assert "TokenRefused" in world.refused(plan_id, words)
    assert world.last().startswith("refused: TokenRefused")
