"""The PIN guessed, on page after page"""

from typing import Any

import pytest

from rulezero_server.approval import ApprovalPage

pytestmark = [
    pytest.mark.attack(
        stopped_by="after five wrong PINs none is tried, the right one included, also by "
        "another process",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_guessing_locks_also_for_the_right_pin(
    visitor: Any, world: Any, untouched: Any, drop: Any, parts: Any
) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        for guess in range(5):
            visitor.send(url, visitor.form(url, pin=f"{guess:06}", typed="tasks 3"))
        right = visitor.send(url, visitor.form(url, typed="tasks 3"))
        assert "locked out" in right.text
        other = ApprovalPage(lambda: world.session().desk, parts.PlainHasher())
        try:
            again = other.url(world.asked(plan_id).challenge)
            assert "locked out" in visitor.send(again, visitor.form(again, typed="tasks 3")).text
        finally:
            other.stop()
        visitor.gets_no_token(plan_id)
    assert world.events().count("locked out") == 1
