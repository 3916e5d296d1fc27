"""How a restore ended: told by its process, else by what the tables are now."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rulezero_policies.backup import Backup, BackupForm, Restoring
from rulezero_tools.landing import ReadBack
from rulezero_tools.records import RunReport, RunState
from rulezero_tools.restored import judge

BACKUP = Backup(
    plan_id="plan-1",
    database="db",
    revisions=("r1",),
    fingerprint="then",
    made=datetime(2026, 1, 1, tzinfo=UTC),
    path="/b/x",
    form="pg_dump",
    bytes=1,
    sha256="0",
    tables=(),
    rows=(),
    verified=True,
    checked="",
    command="",
)
RESTORING = Restoring(backup=BACKUP, mark="old")
OLD = ReadBack(current=("r2",), fingerprint="now", mark="old")
NEW = ReadBack(current=("r1",), fingerprint="then", mark="new")


def report(state: RunState = "ended", error: str | None = None) -> RunReport:
    return RunReport(statements=(), error=error, seconds=0.0, state=state)


def of(form: BackupForm) -> Restoring:
    return replace(RESTORING, backup=replace(BACKUP, form=form))


def judged(restoring: Restoring, ran: RunReport, seen: ReadBack) -> Any:
    return judge(restoring, ran, seen)


@pytest.mark.proves("D08")
@pytest.mark.parametrize("form", ["copy", "pg_dump"])
@pytest.mark.parametrize("error", [None, "RestoreError: the connection was cut"])
def test_what_is_atomic_is_known_by_the_tables_alone(form: BackupForm, error: str | None) -> None:
    died = report("died") if error is None else report(error=error)
    assert judged(of(form), died, OLD).ending == "rolled back whole"
    assert judged(of(form), died, NEW).ending == "applied"
    # The same revision and schema before and after are no reason not to know it.
    assert judged(of(form), died, replace(OLD, current=("r1",))).ending == "rolled back whole"


@pytest.mark.proves("D08")
def test_where_every_statement_commits_a_restore_may_be_half_done() -> None:
    half = judged(of("mariadb-dump"), report("died"), replace(OLD, mark="other"))
    assert half.ending == "partially applied"
    assert "plan-1" in half.resume[0]
    assert "commits every statement" in half.outcome
    none = judged(of("mariadb-dump"), report("died"), OLD)
    assert none.ending == "nothing happened"


@pytest.mark.proves("D08")
def test_what_cannot_be_told_is_unknown() -> None:
    gone = judged(RESTORING, report("died"), ReadBack(current=None))
    assert gone.ending == "unknown"
    assert "could not be read back" in gone.outcome
    blind = judged(RESTORING, report("died"), replace(NEW, mark=None))
    assert blind.ending == "unknown"
    assert "plan-1" in blind.outcome
    elsewhere = judged(RESTORING, report("died"), replace(NEW, current=("r9",)))
    assert elsewhere.ending == "unknown"


def test_a_restore_that_went_well_is_held_against_the_database() -> None:
    good = judged(RESTORING, report(), NEW)
    assert (good.ending, good.outcome) == ("applied", "The database was read back at r1.")
    other = judged(RESTORING, report(), replace(NEW, fingerprint="other"))
    assert "its schema is not quite what it was" in other.outcome
    assert judged(RESTORING, report(), OLD).ending == "partially applied"


@pytest.mark.parametrize(
    "ran", [report("never began"), report(error="MovedError: it is another database")]
)
def test_a_restore_that_never_sent_anything_is_called_that(ran: RunReport) -> None:
    none = judged(RESTORING, ran, OLD)
    assert none.ending == "nothing happened"
    assert "still at r2" in none.outcome
    assert judged(RESTORING, ran, replace(OLD, mark="changed by others")).ending == none.ending
