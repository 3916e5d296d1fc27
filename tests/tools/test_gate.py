"""The gate, against a fake project: what a yes is worth, and what is no yes."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import (
    AnswerRefused,
    Declined,
    GateError,
    NoChannel,
    NotForThisTool,
    NotPresented,
    OutOfOrder,
    PlanExpired,
    PlanStale,
    TokenRefused,
    UnknownPlan,
)
from rulezero_policies.grant import TOKEN_PREFIX, Grant, token_hash
from rulezero_policies.policy import Confirmation
from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.apply import apply
from rulezero_tools.asking import FormAnswer
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session
from rulezero_tools.review import review
from rulezero_tools.rollback import rollback

YES = FormAnswer(action="accept", approve=True)
BOTH: frozenset[Confirmation] = frozenset({"backed_up", "no_code_references"})


def pending(session: Session) -> str:
    """A plan for one new revision."""
    analysis = analyze(session)
    generate(session, analysis_id=analysis.analysis_id, message="add notes")
    plan_id = review(session).plan_id
    assert plan_id is not None
    return plan_id


def approved(session: Session, plan_id: str, given: FormAnswer = YES) -> str:
    """The token for a plan after a person's yes."""
    plan, challenge = asking.open_question(session, plan_id, form=True)
    return asking.answer_form(session, plan, challenge, given).token or ""


def events(session: Session) -> list[str]:
    return [e.event for e in session.store.entries()]


@pytest.mark.proves("A01", "A16", "C02")
def test_a_yes_gives_a_token_that_runs_the_plan_once_from_the_sealed_bytes(
    session: Session, runner: Any
) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    result = apply(session, runner, plan_id=plan_id, token=token)
    assert (result.status, result.current_revision, result.previous_revision) == (
        "applied",
        "r2",
        "r1",
    )
    assert result.rollback_command == "flask db downgrade r1"
    [(permit, plan, files)] = runner.runs
    assert permit.plan_digest == plan.digest
    assert files["migrations/versions/r2.py"] == b"add notes"
    assert events(session)[-3:] == ["approved", "spent", "applied"]


@pytest.mark.proves("A01", "C03")
@pytest.mark.parametrize(
    "token",
    ["", "yes", "the user agreed", TOKEN_PREFIX, TOKEN_PREFIX + "0" * 64, TOKEN_PREFIX + "g" * 64],
)
def test_no_token_and_an_invented_one_run_nothing(
    session: Session, runner: Any, token: str
) -> None:
    plan_id = pending(session)
    with pytest.raises(TokenRefused):
        apply(session, runner, plan_id=plan_id, token=token)
    assert runner.runs == []
    assert events(session)[-1] == "refused"


@pytest.mark.proves("C02")
def test_a_spent_token_answers_with_the_recorded_outcome_and_runs_nothing(
    session: Session, runner: Any
) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    first = apply(session, runner, plan_id=plan_id, token=token)
    again = apply(session, runner, plan_id=plan_id, token=token)
    assert len(runner.runs) == 1
    assert replace(again, repeated=False) == first
    assert again.repeated


@pytest.mark.proves("C02")
def test_a_plan_that_ran_does_not_tell_another_token_how(session: Session, runner: Any) -> None:
    plan_id = pending(session)
    apply(session, runner, plan_id=plan_id, token=approved(session, plan_id))
    with pytest.raises(TokenRefused):
        apply(session, runner, plan_id=plan_id, token=TOKEN_PREFIX + "1" * 64)


@pytest.mark.proves("C02")
def test_a_token_runs_no_other_plan(session: Session, runner: Any) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    other = rollback(session, revision="base").plan_id
    with pytest.raises(TokenRefused, match="another plan"):
        apply(session, runner, plan_id=other, token=token)
    assert runner.runs == []


@pytest.mark.proves("C02")
def test_a_token_is_refused_to_another_client(session: Session, runner: Any) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    thief = replace(session, principal="mallory via test")
    with pytest.raises(TokenRefused, match="another client"):
        apply(thief, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


@pytest.mark.proves("C02")
def test_a_token_expires(session: Session, runner: Any, clock: Any) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    clock.forward(minutes=11)
    with pytest.raises(TokenRefused, match="expired"):
        apply(session, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


def test_a_token_is_refused_when_the_clock_went_back(
    session: Session, runner: Any, clock: Any
) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    clock.forward(minutes=-5)
    with pytest.raises(TokenRefused, match="expired"):
        apply(session, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


def edit_the_revision(project: Any) -> None:
    project.contents["migrations/versions/r2.py"] = b"DROP TABLE"


def edit_env(project: Any) -> None:
    project.contents["migrations/env.py"] = b"other"


def add_a_file(project: Any) -> None:
    project.contents["migrations/versions/r0.py"] = b"new"


def move_the_database(project: Any) -> None:
    project.current = None


def another_database(project: Any) -> None:
    project.host = "127.0.0.1"


def alter_the_schema(project: Any) -> None:
    project.fingerprint = "schema-2"


@pytest.mark.proves("D03", "C03")
@pytest.mark.parametrize(
    "change",
    [
        edit_the_revision,
        edit_env,
        add_a_file,
        move_the_database,
        another_database,
        alter_the_schema,
    ],
)
def test_whatever_changed_since_the_review_makes_the_plan_stale(
    session: Session, runner: Any, project: Any, change: Callable[[Any], None]
) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    change(project)
    with pytest.raises(PlanStale):
        apply(session, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


@pytest.mark.proves("D03")
def test_a_count_that_was_zero_and_no_longer_is_makes_the_plan_stale(
    session: Session, dropping: Any, runner: Any
) -> None:
    dropping.counts = 0
    emptied = replace(session, project=dropping)
    plan_id = pending(emptied)
    token = approved(emptied, plan_id)
    dropping.counts = 1
    with pytest.raises(PlanStale, match="was 0, is 1"):
        apply(emptied, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


@pytest.mark.proves("C02", "C03")
@pytest.mark.parametrize(
    ("given", "error", "event"),
    [
        (FormAnswer(action="decline"), Declined, "declined"),
        (FormAnswer(action="cancel"), NotPresented, "not presented"),
        (FormAnswer(action="accept", approve=False), Declined, "declined"),
        (FormAnswer(action="accept"), Declined, "declined"),
        (FormAnswer(action="accept", approve=1), Declined, "declined"),  # type: ignore[arg-type]
    ],
)
def test_anything_but_a_yes_gives_no_token_and_is_told_apart(
    session: Session, given: FormAnswer, error: type[GateError], event: str
) -> None:
    plan_id = pending(session)
    with pytest.raises(error):
        approved(session, plan_id, given)
    assert events(session)[-1] == event


@pytest.mark.proves("C02", "C03")
def test_a_question_is_answered_once(session: Session) -> None:
    plan_id = pending(session)
    plan, challenge = asking.open_question(session, plan_id, form=True)
    asking.answer_form(session, plan, challenge, YES)
    with pytest.raises(AnswerRefused, match="answered before"):
        asking.answer_form(session, plan, challenge, YES)


def test_a_question_that_stands_open_is_asked_in_the_same_words(session: Session) -> None:
    plan_id = pending(session)
    first = asking.question_text(*asking.open_question(session, plan_id, form=True))
    assert first == asking.question_text(*asking.open_question(session, plan_id, form=True))
    assert events(session).count("asked") == 1


@pytest.mark.proves("A13")
def test_a_drop_needs_the_typed_words(session: Session, dropping: Any) -> None:
    session = replace(session, project=dropping)
    dropping.generate("drop code")
    plan_id = review(session).plan_id or ""
    with pytest.raises(AnswerRefused, match="yes, drop it"):
        approved(session, plan_id, YES)
    assert approved(session, plan_id, replace(YES, typed=" yes,  drop it "))


@pytest.mark.proves("A09")
def test_a_critical_revision_is_written_only_after_a_person_said_to_go_on(
    session: Session, dropping: Any
) -> None:
    session = replace(session, project=dropping)
    analysis = analyze(session)
    assert analysis.risk == "CRITICAL"
    stopped = generate(session, analysis_id=analysis.analysis_id, message="drop code")
    assert stopped.status == "needs_confirmation"
    assert dropping.revisions == {}
    assert stopped.plan_id is not None
    ready = replace(YES, ticked=BOTH)
    token = approved(session, stopped.plan_id, ready)
    again = generate(session, analysis_id=analysis.analysis_id, message="drop code", token=token)
    assert again.status == "written"


@pytest.mark.proves("A09")
@pytest.mark.parametrize(
    "given",
    [
        replace(YES, ticked=frozenset({"no_code_references"})),
        replace(YES, ticked=frozenset({"backed_up"})),
    ],
)
def test_without_a_backup_or_with_code_that_uses_it_nothing_is_written(
    session: Session, dropping: Any, given: FormAnswer
) -> None:
    session = replace(session, project=dropping)
    analysis = analyze(session)
    stopped = generate(session, analysis_id=analysis.analysis_id, message="drop code")
    with pytest.raises(AnswerRefused):
        approved(session, stopped.plan_id or "", given)
    assert dropping.revisions == {}


@pytest.mark.proves("A09")
def test_the_approval_to_generate_is_not_the_approval_to_apply(
    session: Session, dropping: Any, runner: Any
) -> None:
    session = replace(session, project=dropping)
    analysis = analyze(session)
    stopped = generate(session, analysis_id=analysis.analysis_id, message="drop code")
    plan_id = stopped.plan_id or ""
    token = approved(session, plan_id, replace(YES, ticked=BOTH))
    with pytest.raises(NotForThisTool):
        apply(session, runner, plan_id=plan_id, token=token)
    generate(session, analysis_id=analysis.analysis_id, message="drop code", token=token)
    reviewed = review(session).plan_id or ""
    with pytest.raises(TokenRefused):
        apply(session, runner, plan_id=reviewed, token=token)
    assert runner.runs == []


@pytest.mark.proves("D04")
@pytest.mark.parametrize("guarded", [{"protected": True}, {"host": "db.example.com"}])
def test_a_protected_database_cannot_be_approved_by_a_form(
    session: Session, project: Any, guarded: dict[str, Any]
) -> None:
    for name, value in guarded.items():
        setattr(project, name, value)
    plan_id = pending(session)
    with pytest.raises(NoChannel, match="secret"):
        asking.open_question(session, plan_id, form=True)
    assert events(session)[-1] == "refused"


@pytest.mark.proves("C02")
def test_a_client_without_forms_is_told_how_a_person_can_approve(session: Session) -> None:
    plan_id = pending(session)
    with pytest.raises(NoChannel) as caught:
        asking.open_question(session, plan_id, form=False)
    assert "client that shows forms" in caught.value.advice


@pytest.mark.proves("A02")
def test_steps_out_of_order_name_the_step_to_call_first(session: Session, runner: Any) -> None:
    with pytest.raises(OutOfOrder, match="analyze"):
        generate(session, analysis_id="", message="x")
    with pytest.raises(OutOfOrder, match="review"):
        asking.open_question(session, "", form=True)
    with pytest.raises(OutOfOrder, match="review"):
        apply(session, runner, plan_id="", token="")


@pytest.mark.proves("C02")
def test_plans_of_other_projects_and_environments_are_unknown_here(
    session: Session, project: Any, runner: Any
) -> None:
    plan_id = pending(session)
    for other in (replace(project, name="/projects/other"), replace(project, environment="prod")):
        with pytest.raises(UnknownPlan):
            apply(replace(session, project=other), runner, plan_id=plan_id, token="x")


@pytest.mark.proves("C02")
def test_an_expired_plan_is_not_asked_about(session: Session, clock: Any) -> None:
    plan_id = pending(session)
    clock.forward(hours=2)
    with pytest.raises(PlanExpired):
        asking.open_question(session, plan_id, form=True)


def test_a_plan_that_ran_is_not_asked_about_again(session: Session, runner: Any) -> None:
    plan_id = pending(session)
    apply(session, runner, plan_id=plan_id, token=approved(session, plan_id))
    with pytest.raises(AnswerRefused, match="ran already"):
        asking.open_question(session, plan_id, form=True)


# --- rows that somebody wrote ---


def by_hand(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


@pytest.mark.proves("C03", "D10")
def test_a_grant_written_into_the_store_runs_nothing(session: Session, runner: Any) -> None:
    plan_id = pending(session)
    plan, _ = asking.open_question(session, plan_id, form=True)
    token, now = TOKEN_PREFIX + "a" * 64, session.clock.now()
    forged = Grant(
        token_hash=token_hash(token),
        plan_digest=plan.digest,
        database=plan.database.label,
        principal=session.principal,
        approver=session.person,
        channel="terminal",
        level="passkey",
        created=now,
        expires=plan.expires,
    )
    session.store.save_grant(forged)
    with pytest.raises(TokenRefused, match="audit trail knows no approval"):
        apply(session, runner, plan_id=plan_id, token=token)
    assert runner.runs == []
    assert events(session)[-1] == "refused"


@pytest.mark.proves("C03", "D10")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"level":"client"', '"level":"secret"'),
        ('"expires":"2026-01-01T12:10', '"expires":"2027-01-01T12:10'),
        ("via test", "via mallory"),
    ],
)
def test_a_grant_changed_in_the_store_runs_nothing(
    session: Session, runner: Any, tmp_path: Path, before: str, after: str
) -> None:
    plan_id = pending(session)
    token = approved(session, plan_id)
    changed = f"UPDATE rulezero_grants SET value = replace(value, '{before}', '{after}')"
    by_hand(tmp_path / "state.db", f"{changed} WHERE value LIKE '%{before}%'")
    grant = session.store.grant(token_hash(token))
    assert grant is not None
    thief = replace(session, principal=grant.principal)
    with pytest.raises(TokenRefused, match="audit trail knows no approval"):
        apply(thief, runner, plan_id=plan_id, token=token)
    assert runner.runs == []


@pytest.mark.proves("C02", "C03")
def test_a_token_whose_spending_was_undone_by_hand_stays_spent(
    session: Session, dropping: Any, tmp_path: Path
) -> None:
    session = replace(session, project=dropping)
    analysis = analyze(session)
    stopped = generate(session, analysis_id=analysis.analysis_id, message="drop code")
    token = approved(session, stopped.plan_id or "", replace(YES, ticked=BOTH))
    generate(session, analysis_id=analysis.analysis_id, message="drop code", token=token)
    by_hand(tmp_path / "state.db", "UPDATE rulezero_grants SET spent = NULL")
    with pytest.raises(TokenRefused, match="spent"):
        generate(session, analysis_id=analysis.analysis_id, message="drop code", token=token)
    assert list(dropping.revisions) == ["r2"]
