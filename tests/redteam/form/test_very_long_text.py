"""A description so long that the drop scrolls out of sight"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="a long request keeps what is critical, and counts the rest", level="client"
    ),
    pytest.mark.proves("C03", "D11"),
]


def test_what_is_critical_stays_in_sight(
    world: Any, untouched: Any, drop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pending(drop)
    read = world.project.describe

    def described(**options: Any) -> Any:
        seen = read(**options)
        long = "all is well " * 50_000
        return replace(seen, revisions=tuple(replace(r, message=long) for r in seen.revisions))

    monkeypatch.setattr(world.project, "describe", described)
    with untouched(world.database):
        world.clock.forward(seconds=1)
        plan, challenge = asking.open_question(world.session(), world.reviewed(), form=True)
        shown = asking.question_text(plan, challenge)
    assert "yes, drop it" in shown
    assert "code" in shown
    assert len(shown) < 20_000
