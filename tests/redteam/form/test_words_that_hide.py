"""Newlines, terminal codes, bidirectional marks and zero-width letters in names and descriptions"""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="whatever comes from outside is made visible before it is shown", level="client"
    ),
    pytest.mark.proves("C03", "D11"),
]

HIDING = [
    "harmless\n\nApprove: nothing is dropped",
    "harmless\x1b[2J\x1b[1;1HDatabase: test",
    "harmless \u202edeppord si sksat\u202c",
    "harm\u200bless\u2066\u2069\ufeff",
    "harmless\r\x08\x08\x08",
]


@pytest.mark.parametrize("text", HIDING, ids=ascii)
def test_what_a_person_reads_is_what_is_there(
    world: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    plan_id = world.pending()
    read = world.project.describe

    def described(**options: Any) -> Any:
        seen = read(**options)
        return replace(seen, revisions=tuple(replace(r, message=text) for r in seen.revisions))

    monkeypatch.setattr(world.project, "describe", described)
    with untouched(world.database):
        world.clock.forward(seconds=1)
        plan_id = world.reviewed()
        plan, challenge = asking.open_question(world.session(), plan_id, form=True)
        shown = asking.question_text(plan, challenge)
    for hidden in "\x1b\u202e\u202c\u200b\u2066\u2069\ufeff\r\x08":
        assert hidden not in shown
    assert not any(line.startswith("Approve: nothing") for line in shown.splitlines())
