"""A revision that edits its own file while it is rehearsed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a rehearsal runs the bytes that are planned, in each of its ways, and a plan "
        "whose files moved is not applied",
        level="client",
    ),
    pytest.mark.proves("D02", "D03", "D11"),
]

EDITS = """
import pathlib
file = pathlib.Path(__file__)
text = file.read_text()
with open(__file__, "w") as own:
    own.write(text.replace('op.drop_table("told")', 'op.drop_table("notes")'))
"""


def test_what_was_written_meanwhile_does_not_run(scene: Any, untouched: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(EDITS)
    assert (saw.upgrade, saw.downgrade, saw.reupgrade) == ("ok", "ok", "ok")
    assert "DROP TABLE told" in [one.sql for one in saw.sent]
    assert not any("DROP TABLE notes" in one.sql for one in saw.sent)
    assert "notes" in {thing.name for thing in saw.back}


def test_the_plan_is_not_applied(real: Any, untouched: Any) -> None:
    file = real.revision
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    file.write_text(file.read_text("utf-8") + "\n# edited\n", "utf-8")
    with untouched(real):
        assert "PlanStale" in real.refused(found.plan_id, token)
