"""How a run ends, and what is known of it."""

from typing import Any

import pytest

from rulezero_policies.errors import NoConnection, WorkerTimeout
from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.apply import apply
from rulezero_tools.endings import kind
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session
from rulezero_tools.results import ApplyResult
from rulezero_tools.review import review


def applied(session: Session, runner: Any) -> ApplyResult:
    """Everything up to the run, and the run."""
    generate(session, analysis_id=analyze(session).analysis_id, message="add notes")
    plan, challenge = asking.open_question(session, review(session).plan_id or "", form=True)
    yes = asking.FormAnswer(action="accept", approve=True)
    token = asking.answer_form(session, plan, challenge, yes).token or ""
    return apply(session, runner, plan_id=plan.plan_id, token=token)


@pytest.mark.proves("A16", "A20")
def test_a_run_is_read_back_and_always_gives_the_rollback_command(
    session: Session, runner: Any
) -> None:
    result = applied(session, runner)
    assert result.verified
    assert "flask db downgrade r1" in result.message
    assert "Current revision: r2" in result.message
    assert "Previous revision: r1" in result.message


@pytest.mark.proves("A18", "A16")
def test_a_failed_run_gives_the_error_and_that_nothing_remains(
    session: Session, runner: Any
) -> None:
    runner.error = "IntegrityError: NOT NULL constraint failed: tasks.notes"
    result = applied(session, runner)
    assert result.status == "failed"
    assert "NOT NULL constraint failed: tasks.notes" in result.message
    assert "still at r1 and its schema is unchanged" in result.message
    assert result.rollback_command == "flask db downgrade r1"


@pytest.mark.proves("A18")
def test_a_run_that_left_something_behind_is_called_partly_applied(
    session: Session, runner: Any, project: Any
) -> None:
    runner.error = "OperationalError: disk full"
    fresh = project.describe

    def changed_behind() -> Any:
        if runner.runs:
            project.fingerprint = "half-way"
        return fresh()

    project.describe = changed_behind
    assert "part of the revision was applied" in applied(session, runner).message


def test_a_run_that_reports_success_but_commits_nothing_is_caught(
    session: Session, runner: Any
) -> None:
    runner.commits = False
    result = applied(session, runner)
    assert result.status == "failed"
    assert not result.verified
    assert "still at r1" in result.message


@pytest.mark.proves("D08")
def test_a_run_that_never_answered_is_judged_by_the_database(session: Session, runner: Any) -> None:
    runner.crash = WorkerTimeout(verb="upgrade", seconds=3600)
    result = applied(session, runner)
    assert result.status == "failed"
    assert "still at r1" in result.message


@pytest.mark.proves("D08")
def test_when_the_database_cannot_be_read_back_the_outcome_is_unknown(
    session: Session, runner: Any
) -> None:
    runner.breaks_the_database = True
    result = applied(session, runner)
    assert result.status == "unknown"
    assert result.current_revision == "unknown"


SAID = {
    "PostgreSQL, duplicate": 'UniqueViolation: could not create unique index "uq"\n'
    "DETAIL:  Key (email)=(bob@x) is duplicated. (migrations/versions/r2.py, line 9)",
    "PostgreSQL, wrapped": "IntegrityError: (psycopg.errors.UniqueViolation) duplicate key value "
    "violates unique constraint\nDETAIL:  Key (email)=(bob@x) already exists.",
    "PostgreSQL, row": 'NotNullViolation: null value in column "b" violates not-null constraint\n'
    "DETAIL:  Failing row contains (7, bob@x, null).",
    "MariaDB": "IntegrityError: (1062, \"Duplicate entry 'bob@x' for key 'email'\")",
    "MariaDB, bare": "(1062, \"Duplicate entry 'bob@x' for key 'email'\")",
    "MariaDB, cut": "DataError: (1406, \"Data too long for column 'bob@x' at row 1\")",
    "SQLite": "IntegrityError: UNIQUE constraint failed: users.email [parameters: ('bob@x',)]",
    "the revision's own": "ValueError: invalid literal for int() with base 10: 'bob@x'",
    "nothing known": "bob@x: Error: what is this",
}


@pytest.mark.proves("D10")
@pytest.mark.parametrize("database", sorted(SAID))
def test_no_value_of_a_row_gets_into_the_audit_trail(
    session: Session, runner: Any, database: str
) -> None:
    runner.error = SAID[database]
    result = applied(session, runner)
    assert "bob@x" in result.message, "the person is told everything"
    assert not [e for e in session.store.entries() if "bob@x" in e.detail]
    last = session.store.entries()[-1]
    assert last.event == "failed"
    assert last.detail.endswith("The database is still at r1 and its schema is unchanged.")


@pytest.mark.proves("D10")
@pytest.mark.parametrize(
    ("error", "called"),
    [
        ("IntegrityError: (1062, 'Duplicate')", "IntegrityError"),
        ("(psycopg.errors.UniqueViolation) duplicate key", "UniqueViolation"),
        ("SystemExit: 3", "SystemExit"),
        ("DuplicateColumn: column x already exists", "DuplicateColumn"),
        ("OSError: [Errno 28] No space left on device", "OSError"),
        ("StringDataRightTruncation: value too long", "StringDataRightTruncation"),
        ("Key (email)=(Error: bob@x) already exists", "An error"),
        ("Duplicate entry", "An error"),
        ("Failing row contains (IntegrityError: x)", "An error"),
    ],
)
def test_of_an_error_the_trail_keeps_its_kind(error: str, called: str) -> None:
    assert kind(error) == called


@pytest.mark.proves("D08", "D10")
def test_an_outcome_that_is_not_known_is_recorded_as_such(session: Session, runner: Any) -> None:
    runner.breaks_the_database = True
    applied(session, runner)
    assert session.store.entries()[-1].event == "unknown outcome"


@pytest.mark.proves("D10")
def test_a_project_that_cannot_be_read_at_apply_is_recorded_without_its_words(
    session: Session, runner: Any, project: Any
) -> None:
    generate(session, analysis_id=analyze(session).analysis_id, message="add notes")
    plan, challenge = asking.open_question(session, review(session).plan_id or "", form=True)
    yes = asking.FormAnswer(action="accept", approve=True)
    token = asking.answer_form(session, plan, challenge, yes).token or ""
    project.broken = NoConnection(error="no route for bob@x", database="todo")
    with pytest.raises(NoConnection):
        apply(session, runner, plan_id=plan.plan_id, token=token)
    last = session.store.entries()[-1]
    assert (last.event, last.plan_id) == ("refused", plan.plan_id)
    assert last.detail == "NoConnection: the project could not be read"
    assert runner.runs == []
