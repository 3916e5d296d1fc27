"""Somebody who may write the person's own policy.toml, before anything is reviewed"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.policy import LOCAL

pytestmark = [
    pytest.mark.attack(
        stopped_by="rulezero's configuration folder owned by another operating-system user",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_who_writes_the_policy_decides(world: Any, changed: Any, drop: Any) -> None:
    world.project.protected = True
    world.policy = replace(world.policy, protected=LOCAL)
    plan_id = world.pending(drop)
    with changed(world.database):
        world.applied(plan_id, world.said_yes(plan_id, given=world.typed()))
