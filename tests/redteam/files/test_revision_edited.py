"""The revision file edited between review, confirm and apply"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the hash of every file that may run is part of the plan", level="client"
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]

DROP = b"DROP TABLE tasks"
REVISION = "migrations/versions/r2.py"


def test_what_was_edited_after_the_yes_does_not_run(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    world.project.contents[REVISION] = DROP
    with untouched(world.database):
        assert "r2.py changed" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()


def test_what_was_edited_before_the_yes_does_not_run_either(world: Any, untouched: Any) -> None:
    plan_id = world.pending()
    world.project.contents[REVISION] = DROP
    token = world.said_yes(plan_id)
    with untouched(world.database):
        assert "r2.py changed" in world.refused(plan_id, token)
    assert "PlanStale" in world.last()


def test_what_is_edited_while_it_runs_is_not_what_runs(
    world: Any, monkeypatch: pytest.MonkeyPatch, only_approved: Any
) -> None:
    """The last moment: everything was compared, the token is spent, and then the file changes."""
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    spend = world.store.spend

    def spend_and_edit(*args: Any) -> bool:
        world.project.contents[REVISION] = DROP
        return spend(*args)

    monkeypatch.setattr(world.store, "spend", spend_and_edit, raising=False)
    with only_approved(world.ran_once):
        world.applied(plan_id, token)
    assert world.project.contents[REVISION] == DROP
