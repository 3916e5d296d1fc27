"""A grant's row written by hand"""

from typing import Any

import pytest

from rulezero_policies.grant import Grant, token_hash

pytestmark = [
    pytest.mark.attack(stopped_by="the audit trail knows no approval that gave it", level="client"),
    pytest.mark.proves("C02", "D10", "C03", "D11"),
]


def test_a_grant_that_nobody_gave_opens_nothing(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    plan, now, token = world.plan(plan_id), world.clock.now(), "rz1_" + "ab" * 32
    grant = Grant(
        token_hash=token_hash(token),
        plan_digest=plan.digest,
        database=plan.database.label,
        principal="ann@desk via test",
        approver="ann@desk",
        channel="terminal",
        level="passkey",
        created=now,
        expires=plan.expires,
    )
    world.store.save_grant(grant)
    with untouched(world.database):
        assert "no approval" in world.refused(plan_id, token)
    assert "no approval" in world.last()
