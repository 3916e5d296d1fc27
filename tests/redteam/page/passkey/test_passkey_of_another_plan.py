"""A passkey's signature over another plan, another database or another question"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what is signed is the plan, its database and the question", level="passkey"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_a_signature_is_good_for_its_question(
    visitor: Any, world: Any, passkey: Any, untouched: Any, drop: Any
) -> None:
    world.project.protected = True
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    plan, nonce = world.plan(plan_id), world.asked(plan_id).challenge.nonce
    others = (
        f"{'0' * 64}|{plan.database.label}|{nonce}",
        f"{plan.digest}|postgresql:elsewhere|{nonce}",
        f"{plan.digest}|{plan.database.label}|nonce-0",
        "",
    )
    with untouched(world.database):
        for text in others:
            signed = passkey.sign(text, origin=visitor.origin(url))
            visitor.send(url, visitor.form(url, passkey=signed, typed="tasks 3"))
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
