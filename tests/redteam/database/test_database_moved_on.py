"""The database migrated by somebody else between the yes and the run"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the revision and the schema that stand there are part of the plan",
        level="client",
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_another_revision_is_another_plan(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.database.connection.execute("UPDATE alembic_version SET version_num = 'r9'")
    with untouched(world.database):
        assert "current revision was r1 and is r9" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()


def test_another_schema_is_another_plan(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.database.connection.execute("ALTER TABLE tasks ADD COLUMN owner TEXT")
    with untouched(world.database):
        assert "schema changed" in world.refused(plan_id, token)
