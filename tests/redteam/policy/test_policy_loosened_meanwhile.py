"""The policy edited between review, confirm and apply"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import PlanStale
from rulezero_policies.policy import Policy
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="the digest of the policy is part of the plan", level="client"),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_plan_is_not_asked_about_under_another_policy(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    longer = world.session(policy=Policy(grant_seconds=86_400))
    with untouched(world.database), pytest.raises(PlanStale, match="policy changed"):
        asking.open_question(longer, plan_id, form=True)
    assert "policy changed" in world.last()


def test_a_token_is_not_redeemed_under_another_policy(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    other = world.session(policy=replace(world.policy, pin_attempts=1_000_000))
    with untouched(world.database):
        assert "policy changed" in world.refused(plan_id, token, other)
    assert "policy changed" in world.last()
