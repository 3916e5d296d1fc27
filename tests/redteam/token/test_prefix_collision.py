"""Two plans with the same plan_id"""

from typing import Any

import pytest

from rulezero_policies import plan as plans
from rulezero_tools import gate

pytestmark = [
    pytest.mark.attack(
        stopped_by="the first plan of a name is kept, and a grant names the whole digest",
        level="client",
    ),
    pytest.mark.proves("C03", "D11"),
]


def test_a_second_plan_cannot_stand_under_the_name_of_an_approved_one(
    world: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_name(digest: str) -> str:
        return "plan-" + "0" * len(digest[:20])

    monkeypatch.setattr(plans, "plan_id_of", one_name)
    monkeypatch.setattr(gate, "plan_id_of", one_name)
    harmless = world.pending()
    token = world.said_yes(harmless)
    world.project.contents["migrations/versions/r2.py"] = b"DROP TABLE tasks"
    assert world.reviewed() == harmless
    with untouched(world.database):
        assert "PlanStale" in world.refused(harmless, token)
    assert "r2.py changed" in world.last()
