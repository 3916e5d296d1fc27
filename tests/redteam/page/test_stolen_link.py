"""The link to the page taken from the person's browser"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the link approves nothing; whoever has it can read the plan and decline it",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_link_is_no_approval(visitor: Any, world: Any, untouched: Any, drop: Any) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        for _ in range(3):
            visitor.send(url)
        visitor.gets_no_token(plan_id)
        assert visitor.send(url[:-1] + ("A" if url[-1] != "A" else "B")).status == 404
        visitor.send(url, {"ticket": visitor.ticket(url), "do": "decline"})
        visitor.gets_no_token(plan_id)
    assert "declined" in world.events()
