"""The hash of a token, read from the store, used as a token"""

import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what is stored does not open what it is the hash of", level="client"
    ),
    pytest.mark.proves("C03", "D11"),
]


def test_the_store_holds_nothing_that_opens(world: Any, untouched: Any, state: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with sqlite3.connect(state) as store:
        (kept,) = store.execute("SELECT token_hash FROM rulezero_grants").fetchone()
        everything = "\n".join(store.iterdump())
    assert token not in everything
    assert token.removeprefix("rz1_") not in everything
    with untouched(world.database):
        for taken in (kept, "rz1_" + kept):
            assert "TokenRefused" in world.refused(plan_id, taken)
