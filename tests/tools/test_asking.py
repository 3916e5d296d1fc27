"""Asking on the person's page, their answer there, and what the client gets for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import (
    AnswerRefused,
    Declined,
    GateError,
    LockedOut,
    NoChannel,
    NotPresented,
    QuestionExpired,
    TokenRefused,
    UnknownPlan,
)
from rulezero_policies.grant import Challenge, Channel, Level, Proof
from rulezero_policies.plan import Plan
from rulezero_policies.policy import Policy, need
from rulezero_tools import answering, asking, enrolment
from rulezero_tools.answering import Waiting
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.records import Passkey
from rulezero_tools.results import ConfirmResult

PIN = "winter-41"

Asked = tuple[Session, Plan, Challenge]
Ask = Callable[..., Asked]


@pytest.fixture
def guarded(session: Session, project: Any, hasher: Any) -> Session:
    """A protected project, and a person with a PIN."""
    project.protected = True
    enrolment.enroll_pin(session.desk, hasher, PIN)
    return session


@pytest.fixture
def asked(guarded: Session, pending: Callable[[Session], str]) -> Asked:
    """A question that stands open on the page."""
    plan, challenge = asking.open_question(guarded, pending(guarded), form=True)
    return guarded, plan, challenge


def events(session: Session) -> list[str]:
    return [e.event for e in session.store.entries()]


def yes(session: Session, plan: Plan, *, level: Level = "secret", **given: Any) -> None:
    """The person approves in a terminal."""
    waiting = answering.find(session.desk, plan.plan_id)
    answering.approve(session.desk, waiting, proof(waiting, level=level), **given)


def proof(asked: Waiting, *, level: Level = "secret", channel: Channel = "terminal") -> Proof:
    return Proof(
        nonce=asked.challenge.nonce, person=asked.challenge.person, level=level, channel=channel
    )


def collected(asked: Asked) -> ConfirmResult | None:
    session, plan, challenge = asked
    return asking.collect(session, plan, challenge)


# --- which way ---


@pytest.mark.proves("D04")
def test_a_protected_database_is_asked_about_on_the_page(asked: Asked) -> None:
    session, _, challenge = asked
    assert (challenge.channel, challenge.needs) == ("approval page", "secret")
    assert challenge.person == session.person
    assert events(session)[-1] == "asked"


@pytest.mark.proves("D04")
def test_once_a_pin_is_enrolled_a_critical_plan_needs_it(
    session: Session, dropping: Any, hasher: Any, pending: Callable[[Session], str]
) -> None:
    session = replace(session, project=dropping)
    plan_id = pending(session)
    _, by_form = asking.open_question(session, plan_id, form=True)
    assert by_form.channel == "form elicitation"
    enrolment.enroll_pin(session.desk, hasher, PIN)
    _, by_page = asking.open_question(session, plan_id, form=True)
    assert (by_page.channel, by_page.needs) == ("approval page", "secret")


def test_without_forms_and_with_a_pin_the_page_is_asked(
    session: Session, hasher: Any, pending: Callable[[Session], str]
) -> None:
    enrolment.enroll_pin(session.desk, hasher, PIN)
    _, challenge = asking.open_question(session, pending(session), form=False)
    assert (challenge.channel, challenge.needs) == ("approval page", "client")


@pytest.mark.proves("D04")
def test_where_a_passkey_is_needed_a_pin_is_no_way(
    guarded: Session, pending: Callable[[Session], str]
) -> None:
    policy = Policy(protected=replace(Policy().protected, safe=need("passkey")))
    strict = replace(guarded, policy=policy)
    with pytest.raises(NoChannel, match="passkey") as refused:
        asking.open_question(strict, pending(strict), form=True)
    assert "enroll --passkey" in refused.value.advice
    assert events(strict)[-1] == "refused"


def test_the_question_stands_until_it_is_handed_out(asked: Asked) -> None:
    session, plan, challenge = asked
    assert asking.open_question(session, plan.plan_id, form=True) == (plan, challenge)
    yes(session, plan)
    _, answered = asking.open_question(session, plan.plan_id, form=True)
    assert (answered.nonce, answered.answer) == (challenge.nonce, "approved")
    assert collected(asked) is not None
    _, fresh = asking.open_question(session, plan.plan_id, form=True)
    assert fresh.nonce != challenge.nonce


def test_a_question_that_asks_for_too_little_by_now_is_asked_anew(asked: Asked, clock: Any) -> None:
    session, plan, challenge = asked
    key = Passkey(
        id="k", person=session.person, public_key="p", sign_count=0, created=clock.now(), name="k"
    )
    needs = replace(Policy().protected, safe=need("secret", "passkey"))
    policy = replace(session.policy, protected=needs)
    enrolment.enroll_passkey(session.desk, key)
    same_plan = replace(plan, policy=policy.digest)
    session.store.save_plan(same_plan, {})
    stale = replace(challenge, plan_digest=same_plan.digest, nonce="stale")
    session.store.open_challenge(stale)
    stricter = replace(session, policy=policy)
    _, fresh = asking.open_question(stricter, same_plan.plan_id, form=True)
    assert (fresh.nonce != "stale", fresh.needs) == (True, "passkey")


# --- what came of it ---


@pytest.mark.proves("C02", "D04")
def test_a_yes_with_proof_gives_the_token_once(asked: Asked, runner: Any) -> None:
    session, plan, _ = asked
    assert collected(asked) is None
    yes(session, plan)
    result = collected(asked)
    assert result is not None
    assert (result.status, result.approved_through) == ("approved", "terminal")
    assert "'secret'" in (result.proves or "")
    with pytest.raises(AnswerRefused, match="handed out before"):
        collected(asked)
    assert apply(session, runner, plan_id=plan.plan_id, token=result.token or "").verified
    said = events(session)
    assert said[said.index("asked") :] == [
        "asked",
        "answered",
        "approved",
        "refused",
        "spent",
        "applied",
    ]


@pytest.mark.proves("D10")
def test_who_approved_and_how_well_is_recorded(asked: Asked) -> None:
    session, plan, challenge = asked
    yes(session, plan)
    entry = session.store.entries()[-1]
    assert (entry.event, entry.principal, entry.plan_id) == (
        "answered",
        session.person,
        plan.plan_id,
    )
    assert f"question {challenge.nonce}: yes, level secret by terminal" in entry.detail


def test_pending_says_how_a_person_can_approve(asked: Asked) -> None:
    _, plan, challenge = asked
    result = asking.pending(plan, challenge, how="Their page is open.")
    assert (result.status, result.token) == ("pending", None)
    assert f"rulezero approve {plan.plan_id}" in result.next_step


@pytest.mark.proves("D10")
def test_a_no_needs_no_secret_and_is_told_and_recorded(asked: Asked) -> None:
    session, plan, _ = asked
    waiting = answering.find(session.desk, plan.plan_id)
    answering.decline(session.desk, waiting, channel="approval page")
    with pytest.raises(Declined):
        collected(asked)
    assert events(session)[-1] == "declined"


@pytest.mark.parametrize(
    ("seen", "error", "event"),
    [(False, NotPresented, "not presented"), (True, QuestionExpired, "expired")],
)
def test_never_shown_and_let_expire_are_told_apart(
    asked: Asked, clock: Any, seen: bool, error: type[GateError], event: str
) -> None:
    session, plan, _ = asked
    if seen:
        answering.shown(session.desk, answering.find(session.desk, plan.plan_id))
    clock.forward(minutes=10)
    with pytest.raises(error):
        collected(asked)
    assert events(session)[-1] == event
    _, fresh = asking.open_question(session, plan.plan_id, form=True)
    assert fresh.answer is None


def test_a_late_yes_comes_too_late(asked: Asked, clock: Any) -> None:
    session, plan, _ = asked
    waiting = answering.find(session.desk, plan.plan_id)
    clock.forward(minutes=10)
    with pytest.raises(AnswerRefused, match="expired"):
        answering.approve(session.desk, waiting, proof(waiting))
    assert answering.waiting(session.desk) == ()


def test_who_is_locked_out_is_said_to_the_client(asked: Asked, hasher: Any) -> None:
    session, plan, _ = asked
    for _ in range(5):
        with pytest.raises(GateError):
            enrolment.check_pin(session.desk, hasher, "wrong-1")
    with pytest.raises(LockedOut, match="ann@here"):
        collected(asked)
    assert events(session)[-1] == "refused"
    assert answering.find(session.desk, plan.plan_id), "it still stands open"


def test_a_lock_of_the_pin_does_not_lock_who_has_a_passkey(
    asked: Asked, hasher: Any, clock: Any
) -> None:
    session, _, _ = asked
    for _ in range(5):
        with pytest.raises(GateError):
            enrolment.check_pin(session.desk, hasher, "wrong-1")
    key = Passkey(
        id="k", person=session.person, public_key="p", sign_count=0, created=clock.now(), name="k"
    )
    enrolment.enroll_passkey(session.desk, key)
    assert collected(asked) is None


# --- where a person answers ---


def test_what_waits_is_shown_to_its_person_alone(asked: Asked) -> None:
    session, plan, challenge = asked
    assert answering.waiting(session.desk) == (Waiting(plan=plan, challenge=challenge),)
    other = replace(session.desk, person="bob@here")
    assert answering.waiting(other) == ()
    with pytest.raises(UnknownPlan):
        answering.find(other, plan.plan_id)


@pytest.mark.proves("A13", "D04")
def test_an_incomplete_yes_is_refused_and_may_be_given_again(
    session: Session, dropping: Any, hasher: Any, pending: Callable[[Session], str]
) -> None:
    session = replace(session, project=dropping)
    enrolment.enroll_pin(session.desk, hasher, PIN)
    plan, challenge = asking.open_question(session, pending(session), form=True)
    for typed in ("", "tasks", "tasks 4", "yes, drop it"):
        with pytest.raises(AnswerRefused, match="tasks 3"):
            yes(session, plan, typed=typed)
        assert events(session)[-1] == "refused"
    yes(session, plan, typed=" tasks  3 ")
    assert collected((session, plan, challenge)) is not None


@pytest.mark.proves("C03")
@pytest.mark.parametrize(
    "other", [{"nonce": "another"}, {"person": "bob@here"}, {"level": "client"}]
)
def test_a_proof_of_another_question_person_or_too_little_is_refused(
    asked: Asked, other: dict[str, Any]
) -> None:
    session, plan, _ = asked
    waiting = answering.find(session.desk, plan.plan_id)
    with pytest.raises(AnswerRefused, match="needs level 'secret'"):
        answering.approve(session.desk, waiting, replace(proof(waiting), **other))
    assert collected(asked) is None


def test_a_question_is_answered_once_and_the_second_answer_is_recorded(asked: Asked) -> None:
    session, plan, _ = asked
    waiting = answering.find(session.desk, plan.plan_id)
    answering.decline(session.desk, waiting, channel="approval page")
    with pytest.raises(AnswerRefused, match="answered before"):
        answering.approve(session.desk, waiting, proof(waiting))
    assert events(session)[-1] == "refused"
    with pytest.raises(AnswerRefused, match="answered before"):
        answering.decline(session.desk, waiting, channel="approval page")
    with pytest.raises(Declined):
        collected(asked)


# --- rows that somebody wrote ---


@pytest.mark.proves("C03", "D10")
@pytest.mark.parametrize("level", ["secret", "passkey"])
def test_an_answer_written_into_the_store_gives_no_token(asked: Asked, level: Level) -> None:
    session, plan, challenge = asked
    session.store.answer_challenge(
        challenge.nonce, "approved", level=level, approver=session.person, through="terminal"
    )
    with pytest.raises(AnswerRefused, match="audit trail"):
        collected(asked)
    assert session.store.run(plan.plan_id) is None
    assert events(session)[-1] == "refused"


@pytest.mark.proves("C03")
def test_a_yes_of_a_lower_level_than_is_needed_by_now_runs_nothing(
    asked: Asked, runner: Any, clock: Any
) -> None:
    session, plan, _ = asked
    yes(session, plan)
    result = collected(asked)
    assert result is not None
    key = Passkey(
        id="k", person=session.person, public_key="p", sign_count=0, created=clock.now(), name="k"
    )
    enrolment.enroll_passkey(session.desk, key)
    protected = replace(Policy().protected, safe=need("secret", "passkey"))
    stricter = replace(session, policy=replace(session.policy, protected=protected))
    with pytest.raises(TokenRefused, match="too low a level"):
        apply(stricter, runner, plan_id=plan.plan_id, token=result.token or "")
    assert runner.runs == []
