"""A client that accepts every form, on a protected database"""

from typing import Any

import pytest

from rulezero_policies.errors import NoChannel
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="a protected database needs a PIN or a passkey, which no form can give",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize(
    "guarded",
    [{"protected": True}, {"host": "db.example.com"}, {"host": "/run/postgresql,db.example.com"}],
)
def test_a_form_approves_no_protected_plan(
    world: Any, untouched: Any, yes: Any, guarded: dict[str, Any], *, enrolled: bool
) -> None:
    if enrolled:
        world.enroll()
    for name, value in guarded.items():
        setattr(world.project, name, value)
    session, plan_id = world.session(), world.pending()
    with untouched(world.database):
        if not enrolled:
            with pytest.raises(NoChannel, match="secret"):
                asking.open_question(session, plan_id, form=True)
        else:
            plan, challenge = asking.open_question(session, plan_id, form=True)
            assert (challenge.channel, challenge.needs) == ("approval page", "secret")
            with pytest.raises(Exception, match="secret"):
                asking.answer_form(session, plan, challenge, yes)
            with pytest.raises(Exception, match="audit trail"):
                asking.collect(session, plan, challenge)
    assert "approved" not in world.events()
