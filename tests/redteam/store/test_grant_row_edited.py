"""A grant's row changed in the store: principal, database, level, expiry, plan"""

import json
import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the audit trail names the grant as it was given", level="client"
    ),
    pytest.mark.proves("C02", "D10", "C03", "D11"),
]

EDITS: list[dict[str, str]] = [
    {"principal": "bob@desk via test"},
    {"expires": "2036-01-01T00:00:00+00:00"},
    {"level": "passkey"},
    {"approver": "ann@desk"},
    {"database": "sqlite:other"},
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: next(iter(e)))
def test_an_edited_grant_opens_nothing(
    world: Any, untouched: Any, state: Any, edit: dict[str, str]
) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with sqlite3.connect(state) as store:
        (value,) = store.execute("SELECT value FROM rulezero_grants").fetchone()
        edited = json.dumps({**json.loads(value), **edit})
        store.execute("UPDATE rulezero_grants SET value = ?", (edited,))
    thief = world.session(principal=edit.get("principal", "ann@desk via test"))
    if "expires" in edit:
        world.clock.forward(minutes=11)
    with untouched(world.database):
        assert "TokenRefused" in world.refused(plan_id, token, thief)
    assert world.last().startswith("refused: TokenRefused")
