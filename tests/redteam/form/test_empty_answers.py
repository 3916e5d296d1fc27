"""A host that accepts without filling anything in, or with fields of its own"""

from typing import Any

import pytest
from mcp.types import ElicitResult

from rulezero_policies.errors import GateError
from rulezero_server import forms
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="no field has a default, and an empty answer approves nothing", level="client"
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]

EMPTY: list[Any] = [None, {}, {"confirm": True}, {"Approve": True}, {"typed": "yes, drop it"}]


@pytest.mark.parametrize("content", EMPTY, ids=repr)
@pytest.mark.parametrize("destructive", [False, True])
def test_an_empty_accept_is_no_yes(
    world: Any, untouched: Any, drop: Any, content: Any, *, destructive: bool
) -> None:
    session = world.session()
    plan_id = world.pending(drop) if destructive else world.pending()
    plan, challenge = asking.open_question(session, plan_id, form=True)
    form = forms.form_for(plan)
    answer = ElicitResult(action="accept", content=content)
    with untouched(world.database), pytest.raises(GateError):
        asking.answer_form(session, plan, challenge, forms.read_form(form, answer))
    assert all("default" not in field for field in forms.schema_of(form)["properties"].values())
    assert "approved" not in world.events()
