"""A backup is put back by a plan of its own, and the database is what it was, byte for byte."""

from typing import Any

import pytest

from rulezero_policies.plan import Plan
from rulezero_tools.rollback import rollback

World = Any
MakeWorld = Any


def planned(world: World, plan: Plan) -> Plan:
    """The plan that restores the backup made before `plan` ran."""
    return world.plan(rollback(world.session(), restore=plan.plan_id).plan_id)


@pytest.mark.proves("A17", "D08")
def test_what_a_migration_destroyed_comes_back_byte_for_byte(world: World) -> None:
    before = world.dump()
    upgrade = world.reviewed()
    assert world.applied(upgrade).status == "applied"
    world.run_sql("INSERT INTO orders (id, thing) VALUES (1, 2);")
    assert world.dump() != before
    back = planned(world, upgrade)
    assert (back.kind, back.risk, back.phrases) == ("restore", "CRITICAL", ("yes, restore it",))
    lost = {f.subject: f.evidence for f in back.findings}
    assert "dropped, with its 1 rows" in lost["orders"]
    done = world.applied(back)
    assert (done.status, done.verified, done.current_revision) == ("applied", True, "r1"), done
    assert world.dump() == before
    # What stood there before the restore can be had again, too.
    assert done.backup is not None
    assert done.backup.verified
