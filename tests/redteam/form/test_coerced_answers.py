"""Answers that a lenient reader would take for yes: 1, "true", "yes", a list, a nested object"""

from typing import Any

import pytest
from mcp.types import ElicitResult

from rulezero_policies.errors import GateError
from rulezero_server import forms
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="only the boolean true is a yes", level="client"),
    pytest.mark.proves("C02", "C03", "D11"),
]

NEARLY: list[Any] = [1, 1.0, "true", "True", "yes", "on", [True], {"approve": True}, None]


@pytest.mark.parametrize("nearly", NEARLY, ids=repr)
def test_nearly_yes_is_no(world: Any, untouched: Any, nearly: Any) -> None:
    session = world.session()
    plan, challenge = asking.open_question(session, world.pending(), form=True)
    answer = ElicitResult.model_construct(action="accept", content={"approve": nearly})
    with untouched(world.database), pytest.raises(GateError):
        asking.answer_form(session, plan, challenge, forms.read_form(forms.form_for(plan), answer))
    assert "approved" not in world.events()
    assert world.last().partition(":")[0] in {"refused", "declined"}


@pytest.mark.parametrize("nearly", NEARLY, ids=repr)
def test_nearly_yes_is_no_to_the_gate_either(world: Any, untouched: Any, nearly: Any) -> None:
    """Should a form let it through."""
    session = world.session()
    plan, challenge = asking.open_question(session, world.pending(), form=True)
    given = asking.FormAnswer(action="accept", approve=nearly)
    with untouched(world.database), pytest.raises(GateError):
        asking.answer_form(session, plan, challenge, given)
    assert "approved" not in world.events()
