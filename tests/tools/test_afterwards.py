"""What is asked once a run is over."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.causes import Stopped
from rulezero_policies.errors import EnvScriptError
from rulezero_policies.findings import Fact, Question
from rulezero_tools import asking
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.results import ApplyResult
from rulezero_tools.rollback import rollback
from rulezero_tools.runport import NoRuns


def applied(session: Session, runner: Any, plan_id: str) -> ApplyResult:
    plan, challenge = asking.open_question(session, plan_id, form=True)
    yes = asking.FormAnswer(action="accept", approve=True)
    if plan.phrases:
        yes = replace(yes, typed=plan.phrases[0])
    token = asking.answer_form(session, plan, challenge, yes).token or ""
    return apply(session, runner, plan_id=plan.plan_id, token=token)


@pytest.mark.proves("A16")
@pytest.mark.parametrize("many", [0, 1, 30])
def test_after_an_upgrade_the_models_are_held_against_the_database(
    session: Session, runner: Any, project: Any, pending: Any, many: int
) -> None:
    plan_id = pending(session)
    project.wanted = project.wanted * many
    result = applied(session, runner, plan_id)
    assert len(result.remaining or ()) == min(many, 20)
    assert ("between models and database" in result.message) == bool(many)
    if many == 1:
        assert "1 difference between models and database remains: tasks.notes: " in result.message
    if many == 30:
        assert "30 differences between models and database remain: " in result.message
        assert result.message.endswith("; and 10 more.")


@pytest.mark.proves("A16")
def test_models_that_cannot_be_asked_fail_no_run_and_are_told(
    session: Session, runner: Any, project: Any, pending: Any
) -> None:
    plan_id = pending(session)

    def broken() -> Any:
        raise EnvScriptError(file="migrations/env.py", line=1, error="no models")

    project.diff = broken
    result = applied(session, runner, plan_id)
    assert (result.status, result.remaining) == ("applied", None)
    assert "Whether models and database still differ could not be told: EnvScriptError" in (
        result.message
    )


def test_after_a_downgrade_the_models_are_ahead_and_not_asked(
    session: Session, runner: Any, pending: Any, project: Any
) -> None:
    applied(session, runner, pending(session))
    project.diff = None
    result = applied(session, runner, rollback(session).plan_id)
    assert (result.status, result.remaining) == ("applied", None)


class Asked(NoRuns):
    """Knows which rows are in the way."""

    def in_the_way(self, report: Any) -> Fact | None:
        asked = Question(probe=report.stopped.probes[0], table="tasks", column="notes")
        return Fact(question="NULLs in tasks.notes", count=2, sample=("1", "7"), asked=asked)


@pytest.mark.proves("A18")
def test_the_rows_that_stopped_a_run_are_told_with_what_to_do(
    session: Session, runner: Any, pending: Any
) -> None:
    runner.error = "NotNullViolation: null value in column"
    run = runner.run

    def stopped(*args: Any) -> Any:
        return replace(
            run(*args),
            stopped=Stopped(kind="NotNullViolation", error="null value", probes=("nulls",)),
        )

    runner.run = stopped
    session = replace(session, runs=Asked())
    result = applied(session, runner, pending(session))
    assert result.message.endswith(
        "In the way: NULLs in tasks.notes: 2 (keys 1, 7). Give those rows a value first, in the "
        "revision before this statement or by hand."
    )
    assert result.cause is not None
    assert (result.cause.kind, result.cause.statement) == ("NotNullViolation", None)
    assert (result.cause.count, result.cause.keys) == (2, ("1", "7"))
