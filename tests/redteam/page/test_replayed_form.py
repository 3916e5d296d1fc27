"""The form of a yes, recorded and sent again for the next question"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="each rendering of the form is good once, and a question is answered once",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_form_is_good_once(visitor: Any, world: Any, untouched: Any, drop: Any) -> None:
    first = world.pending(drop)
    url = visitor.url(first)
    form = visitor.form(url, typed="tasks 3")
    assert visitor.send(url, form).status == 303
    world.collected(first)
    world.clock.forward(seconds=1)
    second = world.reviewed()
    again = visitor.url(second)
    with untouched(world.database):
        assert visitor.send(again, form).status == 409
        assert visitor.send(url, form).status == 409
    assert world.events().count("answered") == 1
    assert world.events().count("approved") == 1
