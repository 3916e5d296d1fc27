"""Apply without a token, or with words in its place."""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="only a token that the gate gave out is looked up", level="client"
    ),
    pytest.mark.proves("A01", "A19", "C03", "D11"),
]

WORDS = ["", " ", "yes", "the user agreed", "true", "null", "rz1_", "approved by ann", "\x00"]


@pytest.mark.parametrize("token", WORDS)
def test_words_are_no_token(world: Any, untouched: Any, token: str) -> None:
    plan_id = world.pending()
    with untouched(world.database):
        assert "TokenRefused" in world.refused(plan_id, token)
    assert world.last().startswith("refused: TokenRefused")
