"""The mark `protected = true` taken out of the project's settings"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import NoChannel
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="the user's own policy names what is protected; a database elsewhere always is",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_the_users_policy_still_names_the_environment(world: Any, untouched: Any) -> None:
    world.policy = replace(world.policy, protected_environments=("production",))
    world.project.environment = "production"
    world.project.protected = False
    plan_id = world.pending()
    with untouched(world.database), pytest.raises(NoChannel, match="protected"):
        asking.open_question(world.session(), plan_id, form=True)


def test_a_database_elsewhere_needs_no_mark(world: Any, untouched: Any) -> None:
    world.project.host = "10.0.0.7"
    plan_id = world.pending()
    with untouched(world.database), pytest.raises(NoChannel, match="protected"):
        asking.open_question(world.session(), plan_id, form=True)
    assert world.last().startswith("refused: NoChannel")
