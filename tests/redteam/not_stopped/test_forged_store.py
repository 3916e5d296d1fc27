"""Somebody who may write rulezero's files, forging a grant and the audit trail with it"""

from typing import Any

import pytest

from rulezero_policies.grant import Grant, token_hash

pytestmark = [
    pytest.mark.attack(
        stopped_by="rulezero as another operating-system user, which alone may write its "
        "store: the chain is no signature",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_who_can_write_the_store_can_write_an_approval(world: Any, changed: Any, drop: Any) -> None:
    plan_id = world.pending(drop)
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
    world.store.append(
        at=now,
        event="approved",
        project=plan.project,
        principal="ann@desk via test",
        plan_id=plan_id,
        detail=f"question nonce-9, level passkey by terminal, ann@desk; grant {grant.mark}",
    )
    with changed(world.database):
        assert world.applied(plan_id, token).status == "applied"
    assert world.last().startswith("applied")
