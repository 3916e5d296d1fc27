"""The page driven by a program: everything a browser sends, but not the PIN"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="opening the page does nothing, and a yes needs the PIN", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_whoever_has_no_pin_approves_nothing(visitor: Any, world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    world.project.protected = True
    plan_id = world.pending()
    url = visitor.url(plan_id)
    with untouched(world.database):
        assert visitor.send(url).status == 200
        for wrong in ("", "0000", "correct horse ", "correct hors"):
            assert visitor.send(url, visitor.form(url, pin=wrong)).status == 422
        fields = {k: v for k, v in visitor.form(url).items() if k != "pin"}
        visitor.send(url, fields)
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
