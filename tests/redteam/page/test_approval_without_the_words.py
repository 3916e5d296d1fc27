"""The right PIN for a destructive plan that was not read"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what is CRITICAL is approved by typing what it hits, and how many rows of it",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


@pytest.mark.parametrize("typed", ["", "yes", "yes, drop it", "tasks", "tasks 2", "TASKS 3"])
def test_a_pin_alone_destroys_nothing(
    visitor: Any, world: Any, untouched: Any, drop: Any, typed: str
) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        assert visitor.send(url, visitor.form(url, typed=typed)).status == 422
        visitor.gets_no_token(plan_id)
    assert "typed words" in world.last() or "refused" in world.last()
