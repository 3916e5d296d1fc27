"""A host that declines or closes the form without showing it to anybody"""

from typing import Any

import pytest

from rulezero_policies.errors import Declined, NotPresented
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="nothing but a yes gives a token; closed without an answer is told apart",
        level="client",
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]


@pytest.mark.parametrize(
    ("action", "error", "event"),
    [("decline", Declined, "declined"), ("cancel", NotPresented, "not presented")],
)
def test_what_was_not_shown_is_not_approved(
    world: Any, untouched: Any, action: Any, error: type[Exception], event: str
) -> None:
    session = world.session()
    plan_id = world.pending()
    plan, challenge = asking.open_question(session, plan_id, form=True)
    with untouched(world.database), pytest.raises(error):
        asking.answer_form(session, plan, challenge, asking.FormAnswer(action=action, approve=True))
    assert world.last().startswith(event)
