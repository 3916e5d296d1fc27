"""Asking a person about a plan: which way, what they are shown, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rulezero_policies import choices, decision, words
from rulezero_policies.audit import Event
from rulezero_policies.errors import AnswerRefused, GateError
from rulezero_policies.grant import Answer, Challenge, Grant, Level
from rulezero_policies.plan import Plan
from rulezero_policies.policy import Confirmation, reaches
from rulezero_tools import gate
from rulezero_tools.enrolment import answered_with_yes, enrolled, locked_out
from rulezero_tools.planning import record, refused
from rulezero_tools.ports import Session
from rulezero_tools.results import ConfirmResult

PROVES: dict[Level, str] = {
    "client": "Level 'client': this client answered the form. That does not prove a person: a host "
    "that answers by itself passes it.",
    "secret": "Level 'secret': somebody who knows the PIN said yes. It does not stop who can "
    "replace rulezero's own files.",
    "passkey": "Level 'passkey': the enrolled authenticator signed exactly this plan, with the "
    "person verified. It does not stop who can replace rulezero's own files.",
}

Action = Literal["accept", "decline", "cancel"]

_ANSWERS: dict[Action, Answer] = {
    "accept": "approved",
    "decline": "declined",
    "cancel": "not presented",
}


@dataclass(frozen=True, kw_only=True)
class FormAnswer:
    """What came back from the client's form."""

    action: Action
    approve: bool = False
    typed: str = ""
    ticked: frozenset[Confirmation] = frozenset()
    decided: Mapping[str, bool] = field(default_factory=dict[str, bool])
    readable: bool = True


def open_question(session: Session, plan_id: str, *, form: bool) -> tuple[Plan, Challenge]:
    """Open the one question about a plan, or find the one that stands.

    A question of the page that was answered is found again until its token was handed out.

    Args:
        session: The project, the store and the caller.
        plan_id: From `review`, `rollback` or `generate`.
        form: Whether the client can show a form.

    Raises:
        GateError: The plan may not be asked about: unknown, expired, already run, or there is no
            way here that proves enough for it.
    """
    plan, now = gate.find_plan(session, plan_id, step="confirm"), session.clock.now()
    if session.store.run(plan_id) is not None:
        raise refused(session, plan, AnswerRefused(plan_id=plan_id, reason="it ran already"))
    try:
        decision.may_ask(plan, policy=session.policy, now=now)
        last = session.store.last_challenge(plan.digest, session.principal)
        asked = _question(session, plan, form=form)
        if last is not None and _stands(last, asked):
            return plan, last
    except GateError as error:
        raise refused(session, plan, error) from None
    kept = session.store.open_challenge(asked)
    if kept == asked:
        record(session, "asked", plan, f"question {kept.nonce} by {kept.channel}, {kept.needs}")
    return plan, kept


def _stands(last: Challenge, asked: Challenge) -> bool:
    """Whether the person's page has this question, and a yes to it would still be enough."""
    on_page = last.channel == "approval page" and not last.claimed
    return on_page and reaches(last.needs, asked.needs)


def _question(session: Session, plan: Plan, *, form: bool) -> Challenge:
    best, now = enrolled(session.desk), session.clock.now()
    needs = session.policy.needed(plan, best)
    return Challenge(
        nonce=session.chance.nonce(),
        plan_digest=plan.digest,
        principal=session.principal,
        person=session.person,
        channel=decision.channel(plan, needs=needs, enrolled=best, form=form),
        needs=needs,
        created=now,
        expires=min(now + session.policy.question_life, plan.expires),
    )


def question_text(plan: Plan, challenge: Challenge | None = None) -> str:
    """What the person is shown; the same text for the same question."""
    renames = choices.text(plan.renames)
    parts = [*renames, *plan.warnings, f"Database: {plan.place}"]
    if plan.kind != "generate":
        anyway = words.proceed_anyway(plan)
        parts = [*plan.warnings, words.approval_request(plan), *anyway]
    if challenge is not None:
        parts.append(f"(Question {challenge.nonce}, asked by rulezero)")
    return "\n\n".join(parts)


def answer_form(
    session: Session, plan: Plan, challenge: Challenge, given: FormAnswer
) -> ConfirmResult:
    """Take the one answer to a form; a yes becomes a token.

    Raises:
        Declined: The person said no.
        NotPresented: The form was closed without an answer.
        AnswerRefused: It was answered before, too late, or without what it needs.
    """
    if not session.store.answer_challenge(
        challenge.nonce, _ANSWERS[given.action], level="client", through=challenge.channel
    ):
        error = AnswerRefused(plan_id=plan.plan_id, reason="this question was answered before")
        raise refused(session, plan, error)
    try:
        chosen = _judge(session, plan, challenge, given)
    except GateError as error:
        record(session, _event(given), plan, f"question {challenge.nonce}: {error.code}: {error}")
        raise
    token, grant = gate.mint(
        session,
        plan,
        nonce=challenge.nonce,
        level="client",
        approver=session.principal,
        channel=challenge.channel,
        chosen=chosen,
    )
    return _approved(plan, token, grant)


def _event(given: FormAnswer) -> Event:
    if given.action == "cancel":
        return "not presented"
    said_no = given.action == "decline" or (given.readable and given.approve is not True)
    return "declined" if said_no else "refused"


def _judge(
    session: Session, plan: Plan, challenge: Challenge, given: FormAnswer
) -> tuple[str, ...]:
    if given.action != "accept":
        raise decision.unanswered(plan, challenge, _ANSWERS[given.action])
    if not given.readable:
        reason = "the form did not come back filled in as it was asked"
        raise AnswerRefused(plan_id=plan.plan_id, reason=reason)
    return decision.judge_answer(
        plan,
        challenge,
        approve=given.approve,
        typed=given.typed,
        ticked=given.ticked,
        decided=given.decided,
        now=session.clock.now(),
    )


def collect(session: Session, plan: Plan, challenge: Challenge) -> ConfirmResult | None:
    """What came of a question of the page: a token, once; None while it stands open.

    Raises:
        Declined: The person said no.
        QuestionExpired: They were shown it and did not answer in time.
        NotPresented: Nobody looked at it in time.
        LockedOut: It stands open, but nobody can answer it now.
        AnswerRefused: What it gave was handed out before.
    """
    seen = _closed(session, plan, challenge)
    if seen.answer is None:
        _answerable(session, plan)
        return None
    if not session.store.claim_challenge(seen.nonce):
        error = AnswerRefused(plan_id=plan.plan_id, reason="its answer was handed out before")
        raise refused(session, plan, error)
    if seen.answer != "approved" or seen.level is None or seen.through is None:
        raise decision.unanswered(plan, seen, seen.answer)
    said = answered_with_yes(seen.nonce, seen.level, seen.through, seen.chosen)
    if not gate.in_trail(session, plan, "answered", said):
        error = AnswerRefused(plan_id=plan.plan_id, reason="the audit trail knows no such answer")
        raise refused(session, plan, error)
    token, grant = gate.mint(
        session,
        plan,
        nonce=seen.nonce,
        level=seen.level,
        approver=seen.approver or "",
        channel=seen.through,
        chosen=seen.chosen,
    )
    return _approved(plan, token, grant)


def _closed(session: Session, plan: Plan, challenge: Challenge) -> Challenge:
    """The question as it stands now; one that nobody answered in time is closed."""
    seen = session.store.challenge(challenge.nonce) or challenge
    if seen.answer is not None or session.clock.now() < seen.expires:
        return seen
    answer = decision.run_out(seen)
    if session.store.answer_challenge(seen.nonce, answer):
        event: Event = "expired" if answer == "expired" else "not presented"
        record(session, event, plan, f"question {seen.nonce}, open until {seen.expires:%H:%M} UTC")
    return session.store.challenge(seen.nonce) or seen


def _answerable(session: Session, plan: Plan) -> None:
    if enrolled(session.desk) != "secret":
        return
    try:
        locked_out(session.desk)
    except GateError as error:
        raise refused(session, plan, error) from None


def pending(plan: Plan, challenge: Challenge, *, how: str) -> ConfirmResult:
    """The answer while the person has not answered; `how` says where their page is."""
    return ConfirmResult(
        status="pending",
        plan_id=plan.plan_id,
        expires=f"{challenge.expires:%Y-%m-%d %H:%M:%S} UTC",
        next_step=f"{how} The person can also run `rulezero approve {plan.plan_id}` in a terminal "
        "of their own. Tell them, wait for them, then call `confirm` again: it gives the token "
        "once they said yes.",
    )


def _approved(plan: Plan, token: str, grant: Grant) -> ConfirmResult:
    tool = "generate" if plan.kind == "generate" else "apply"
    return ConfirmResult(
        status="approved",
        plan_id=plan.plan_id,
        token=token,
        expires=f"{grant.expires:%Y-%m-%d %H:%M:%S} UTC",
        approved_through=grant.channel,
        proves=PROVES[grant.level],
        renames=choices.outcomes(plan.renames, grant.chosen),
        next_step=f"Call `{tool}` with this token before it expires; it works once.",
    )
