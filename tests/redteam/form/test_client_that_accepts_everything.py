"""A client that accepts everything by itself, typed words included"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="with a PIN enrolled, what is WARNING or CRITICAL is asked on the "
        "person's own page",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_an_auto_accepting_host_approves_no_drop(
    world: Any, untouched: Any, yes: Any, drop: Any
) -> None:
    world.enroll()
    session, plan_id = world.session(), world.pending(drop)
    with untouched(world.database):
        plan, challenge = asking.open_question(session, plan_id, form=True)
        assert challenge.channel == "approval page"
        with pytest.raises(Exception, match="secret"):
            asking.answer_form(session, plan, challenge, replace(yes, typed="yes, drop it"))
    assert "approved" not in world.events()
