"""An entry of the audit trail altered, removed, moved, or cut off the end"""

import json
import sqlite3
from typing import Any

import pytest

from rulezero_tools import reading

pytestmark = [
    pytest.mark.attack(
        stopped_by="every entry is chained to the one before, and the head is kept apart",
        level="client",
    ),
    pytest.mark.proves("D10", "C03", "D11"),
]


def _alter(store: sqlite3.Connection) -> None:
    query = "SELECT sequence, value FROM rulezero_audit ORDER BY sequence LIMIT 1"
    number, value = store.execute(query).fetchone()
    altered = json.dumps({**json.loads(value), "principal": "somebody else"})
    store.execute("UPDATE rulezero_audit SET value = ? WHERE sequence = ?", (altered, number))


def _remove(store: sqlite3.Connection) -> None:
    store.execute("DELETE FROM rulezero_audit WHERE sequence = 2")


def _cut(store: sqlite3.Connection) -> None:
    store.execute("DELETE FROM rulezero_audit WHERE sequence >= 3")


def _swap(store: sqlite3.Connection) -> None:
    for one, other in ((1, -1), (2, 1), (-1, 2)):
        moved = (other, one)
        store.execute("UPDATE rulezero_audit SET sequence = ? WHERE sequence = ?", moved)


@pytest.mark.parametrize("tamper", [_alter, _remove, _cut, _swap])
def test_a_trail_that_was_touched_says_so(
    world: Any, untouched: Any, state: Any, tamper: Any
) -> None:
    plan_id = world.pending()
    world.said_yes(plan_id)
    assert reading.history(world.session()).chain == "whole"
    with untouched(world.database), sqlite3.connect(state) as store:
        tamper(store)
    assert reading.history(world.session()).chain != "whole"
