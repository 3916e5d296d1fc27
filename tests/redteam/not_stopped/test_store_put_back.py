"""Somebody who may write rulezero's files, putting back a copy from before the token was spent"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="rulezero as another operating-system user; a token dies with its "
        "minutes all the same",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_an_older_store_knows_nothing_of_the_run(world: Any, changed: Any, state: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    kept = state.read_bytes()
    world.applied(plan_id, token)
    world.database.connection.executescript(
        "ALTER TABLE tasks DROP COLUMN notes; UPDATE alembic_version SET version_num = 'r1'"
    )
    state.write_bytes(kept)
    with changed(world.database):
        assert world.applied(plan_id, token).status == "applied"
    assert len(world.runs) == 2
