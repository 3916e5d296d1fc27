"""A spent grant made unspent, and its run forgotten, in the store"""

import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="the audit trail says that the grant was spent", level="client"),
    pytest.mark.proves("C02", "D10", "C03", "D11"),
]


def test_what_was_spent_stays_spent(world: Any, untouched: Any, state: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.applied(plan_id, token)
    world.database.connection.executescript(
        "ALTER TABLE tasks DROP COLUMN notes; UPDATE alembic_version SET version_num = 'r1'"
    )
    with sqlite3.connect(state) as store:
        store.execute("UPDATE rulezero_grants SET spent = NULL")
        store.execute("DELETE FROM rulezero_runs")
    with untouched(world.database):
        assert "spent" in world.refused(plan_id, token)
    assert world.events().count("spent") == 1
