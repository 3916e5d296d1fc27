"""The kept bytes of an approved revision replaced in the store"""

import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what runs is hashed again when it is taken from the store", level="client"
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_replaced_bytes_do_not_run(world: Any, untouched: Any, state: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with sqlite3.connect(state) as store:
        store.execute("UPDATE rulezero_blobs SET data = ?", (b"DROP TABLE tasks",))
    with untouched(world.database), pytest.raises((KeyError, Exception)):
        world.applied(plan_id, token)
    assert world.runs == []
    assert world.events().count("spent") == 0
