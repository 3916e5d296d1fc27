"""A plan's row changed in the store after it was reviewed"""

import json
import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a plan is named by its digest; one that lost its name is no plan",
        level="client",
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]

EDITS: list[dict[str, Any]] = [
    {"risk": "SAFE"},
    {"phrases": []},
    {"protected": False, "description": "nothing"},
    {"sql": "SELECT 1"},
    {"expires": "2036-01-01T00:00:00+00:00"},
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: next(iter(e)))
def test_an_edited_plan_is_not_known(
    world: Any, untouched: Any, drop: Any, state: Any, edit: dict[str, Any]
) -> None:
    plan_id = world.pending(drop)
    token = world.said_yes(plan_id, given=world.typed())
    with sqlite3.connect(state) as store:
        (value,) = store.execute("SELECT value FROM rulezero_plans").fetchone()
        edited = json.dumps({**json.loads(value), **edit})
        store.execute("UPDATE rulezero_plans SET value = ?", (edited,))
    with untouched(world.database):
        assert "UnknownPlan" in world.refused(plan_id, token)
    assert world.last().startswith("refused: UnknownPlan")
