"""A thousand redemptions of one token at once, in one process"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from rulezero_policies.errors import GateError

pytestmark = [
    pytest.mark.attack(stopped_by="spending is one atomic statement in the store", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]

AT_ONCE = 1_000
THREADS = 50


def test_one_of_a_thousand_wins(world: Any, untouched: Any) -> None:
    """Every one of them passes the checks first: then all are let go at the same time."""
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    plan, grant = world.plan(plan_id), world.grant(token)
    barrier = Barrier(THREADS)

    def redeem(_: int) -> bool:
        barrier.wait()
        return world.store.spend(grant.token_hash, world.clock.now())

    with untouched(world.database):
        with ThreadPoolExecutor(THREADS) as pool:
            won = list(pool.map(redeem, range(AT_ONCE)))
        assert won.count(True) == 1
        assert "TokenRefused" in world.refused(plan_id, token)
    assert plan.digest == grant.plan_digest


def test_of_fifty_applies_at_once_one_runs(world: Any, only_approved: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    barrier = Barrier(THREADS)

    def apply(_: int) -> str:
        barrier.wait()
        try:
            result = world.applied(plan_id, token)
        except GateError as error:
            return error.code
        return "repeated" if result.repeated else result.status

    with only_approved(world.ran_once), ThreadPoolExecutor(THREADS) as pool:
        said = list(pool.map(apply, range(THREADS)))
    assert said.count("applied") == 1
    assert len(world.runs) == 1
    assert world.events().count("spent") == 1
