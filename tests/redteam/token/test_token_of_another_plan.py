"""A token that was given for another plan"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a grant names the digest of its plan", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_token_runs_no_other_plan(world: Any, untouched: Any) -> None:
    first = world.pending()
    token = world.said_yes(first)
    second = world.pending()
    assert first != second
    with untouched(world.database):
        assert "another plan" in world.refused(second, token)
    assert "another plan" in world.last()
