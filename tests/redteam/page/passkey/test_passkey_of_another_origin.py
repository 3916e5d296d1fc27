"""A passkey used on another page, and its signature carried over"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a signature counts only from this page's own address, the port included",
        level="passkey",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


@pytest.mark.parametrize(
    ("origin", "rp"),
    [
        ("http://localhost:1", "localhost"),
        ("https://localhost", "localhost"),
        ("http://evil.example", "evil.example"),
        (None, "evil.example"),
    ],
)
def test_another_pages_signature_is_refused(
    visitor: Any,
    world: Any,
    passkey: Any,
    untouched: Any,
    drop: Any,
    origin: str | None,
    rp: str,
) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        signed = passkey.sign(world.to_sign(plan_id), origin=origin or visitor.origin(url), rp=rp)
        visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3"))
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
