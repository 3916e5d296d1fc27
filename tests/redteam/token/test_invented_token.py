"""An invented token of the right form"""

import secrets
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="256 random bits, of which only the hash is stored", level="client"
    ),
    pytest.mark.proves("A01", "A19", "C03", "D11"),
]


def test_an_invented_token_runs_nothing(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    world.said_yes(plan_id)
    with untouched(world.database):
        for token in ("rz1_" + "0" * 64, "rz1_" + "ab" * 32, "rz1_" + secrets.token_hex(32)):
            assert "never given out" in world.refused(plan_id, token)
    assert world.runs == []
    assert world.last().startswith("refused: TokenRefused")
