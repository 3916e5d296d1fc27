"""The writer of settings files called with a permit that nobody gave"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import RulezeroError
from rulezero_policies.grant import Permit, token_hash

pytestmark = [
    pytest.mark.attack(
        stopped_by="the runner asks the store itself whether the grant is spent", level="client"
    ),
    pytest.mark.proves("C02", "D11"),
]


def test_a_made_up_permit_or_one_for_another_plan_writes_nothing(shop: Any, untouched: Any) -> None:
    plan, other = shop.planned(), shop.planned("FEATURE_PAY")
    token = shop.yes(plan)
    unspent = Permit(
        plan_digest=plan.digest, token_hash=token_hash(token), spent=shop.world.clock.now()
    )
    with untouched(shop):
        for permit in (
            unspent,
            replace(unspent, token_hash=token_hash("invented")),
            replace(unspent, plan_digest=other.digest),
        ):
            for asked in (plan, other):
                with pytest.raises(RulezeroError):
                    shop.runner().run(permit, asked, {})
    assert shop.apply(plan, token).verified
