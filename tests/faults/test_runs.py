"""A run lives and dies by itself, and whoever comes next knows what became of it."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies import decision
from rulezero_policies.errors import MigrationRunning, TokenRefused
from rulezero_policies.grant import token_hash
from rulezero_server import runs
from rulezero_tools import gate, reading

pytestmark = pytest.mark.proves("D08")

Fault = Callable[..., None]


def test_a_run_goes_through_and_leaves_a_journal_and_no_lock(world: Any) -> None:
    plan = world.planned()
    token = world.said_yes(plan)
    result = world.applied(plan, token)
    assert result.ending == "applied", result
    assert result.status == "applied", result
    assert all(world.effects().values())
    assert world.version() == "r3"
    again = world.applied(plan, token)
    assert (again.status, again.repeated) == ("applied", True)
    assert world.status().runs == ()
    assert world.session().project.describe().database.locked is False


@pytest.mark.parametrize("number", [5, 9])
def test_a_killed_run_is_told_as_what_the_database_holds(
    world: Any, fault: Fault, number: int
) -> None:
    plan = world.planned()
    token = world.said_yes(plan)
    fault(f"fsync:{number}:after:kill")
    result = world.applied(plan, token)
    found = world.effects()
    kept = [name for name, there in found.items() if there]
    if result.ending == "partially applied":
        assert len(result.committed) == len(kept)
        assert all(any(name in said for said in result.committed) for name in kept)
        assert result.resume
        assert result.undo
    else:
        assert result.ending in {"nothing happened", "rolled back whole"}
        assert kept == []
    assert world.session().project.describe().database.locked is False


@pytest.mark.proves("A16", "C02")
def test_a_run_outlives_the_server_that_began_it_and_is_found_by_the_next(
    world: Any, fault: Fault, hold: Any
) -> None:
    plan = world.planned()
    token = world.said_yes(plan)
    fault("fsync:9:after:hold", FAULT_HOLD=str(hold.path))
    server = world.applier(plan, token)
    hold.reached()
    os.kill(server.pid, signal.SIGKILL)
    server.communicate()
    (run,) = world.status().runs
    assert (run.status, run.ending) == ("running", None)
    assert "goes on by itself" in run.message
    second = world.applier(plan, token)
    hold.let_go()
    assert second.communicate(timeout=120)[0].split() == ["applied", "True"]
    assert all(world.effects().values())
    assert [e.event for e in world.app().store.entries()].count("applied") == 1
    assert "found afterwards: applied" in world.app().store.entries()[-1].detail
    assert world.journal(plan).count('"event": "start"') == 1


def test_what_takes_longer_than_apply_waits_goes_on_and_is_told_later(
    make_world: Any, tmp_path: Path, fault: Fault, hold: Any
) -> None:
    world = make_world(f"sqlite:///{tmp_path / 'database.sqlite'}")
    (world.folder / "rulezero.toml").write_text("run_timeout = 0.2\n")
    plan = world.planned()
    token = world.said_yes(plan)
    fault("fsync:9:after:hold", FAULT_HOLD=str(hold.path))
    result = world.applied(plan, token)
    hold.reached()
    assert (result.status, result.verified) == ("running", False)
    assert "`apply` again" in result.next_step
    page = reading.get_plan(world.session(), plan_id=plan.plan_id, section="run").text
    assert page.startswith("running: ")
    (world.folder / "rulezero.toml").write_text("run_timeout = 60\n")
    hold.let_go()
    assert world.applied(plan, token).status == "applied"
    page = reading.get_plan(world.session(), plan_id=plan.plan_id, section="run").text
    assert "CREATE TABLE items" in page
    assert "(committed; migrations/versions/r2.py, line 11)" in page


@pytest.mark.proves("C03")
def test_a_second_run_on_a_database_that_is_migrated_is_refused_and_keeps_its_token(
    world: Any, fault: Fault, hold: Any
) -> None:
    first, second = world.planned("r3"), world.planned("r2")
    tokens = world.said_yes(first), world.said_yes(second)
    fault("fsync:7:after:hold", FAULT_HOLD=str(hold.path))
    server = world.applier(first, tokens[0])
    hold.reached()
    with pytest.raises(MigrationRunning, match="the token is not spent"):
        world.applied(second, tokens[1])
    assert world.app().store.grant(token_hash(tokens[1])).spent is None
    hold.let_go()
    assert server.communicate(timeout=120)[0].split() == ["applied", "False"]
    assert all(world.effects().values())


def test_a_run_that_never_began_is_given_up_for_good(
    make_world: Any, tmp_path: Path, fault: Fault
) -> None:
    world = make_world(f"sqlite:///{tmp_path / 'database.sqlite'}")
    plan = world.planned()
    token = world.said_yes(plan)
    permit = gate.redeem(world.session(), plan, token)
    world.clock.ahead = timedelta(seconds=1)
    with pytest.raises(TokenRefused, match="spent"):
        world.applied(plan, token)  # it may be about to begin
    world.clock.ahead = timedelta(seconds=10)
    result = world.applied(plan, token)
    assert (result.status, result.ending) == ("failed", "nothing happened")
    assert "never began" in result.message
    app = world.app()
    with pytest.raises(TokenRefused, match="given up"):
        app.runner(world.session()).run(permit, plan, app.store.sealed(plan.files))
    assert not any(world.effects().values())


def test_a_run_whose_end_is_recorded_leaves_no_sealed_files_and_in_the_end_nothing(
    make_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(f"sqlite:///{tmp_path / 'database.sqlite'}")
    first = world.planned("r2")
    token = world.said_yes(first)
    assert world.applied(first, token).status == "applied"
    place = world.state / "runs" / first.plan_id
    assert {file.name for file in place.iterdir()} == {"journal", "lock", "report", "settled"}
    app = world.app()
    with pytest.raises(TokenRefused, match="began before"):
        app.runner(world.session()).run(
            decision.permit(app.store.grant(token_hash(token)), spent=world.clock.now()),
            first,
            app.store.sealed(first.files),
        )
    monkeypatch.setattr(runs, "KEPT", -1)
    second = world.planned("r3")
    assert world.applied(second, world.said_yes(second)).status == "applied"
    assert list((world.state / "runs").iterdir()) == []
    assert world.applied(first, token).repeated
