"""The gate: the one place where a person is asked, a token is made, and a token is spent."""

from dataclasses import dataclass
from typing import Literal

from rulezero_policies import decision, words
from rulezero_policies.errors import (
    AnswerRefused,
    GateError,
    NoChannel,
    NotForThisTool,
    OutOfOrder,
    TokenRefused,
    UnknownPlan,
)
from rulezero_policies.grant import (
    TOKEN_PREFIX,
    Answer,
    Challenge,
    Grant,
    Permit,
    looks_like_token,
    token_hash,
)
from rulezero_policies.plan import Plan, PlanKind, plan_id_of
from rulezero_policies.text import visible
from rulezero_tools.planning import POLICY, observe, record, refused
from rulezero_tools.ports import Session
from rulezero_tools.results import ConfirmResult

PROVES = (
    "Level 'client': this client answered the form. That does not prove a person: a host that "
    "answers by itself passes it."
)


HOW_FORM = (
    "Show the review to the person. To approve it they open this project in a client that shows "
    "forms (VS Code, Claude Code, or examples/scripted_client.py); the plan waits until it expires."
)


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
    backed_up: bool | None = None
    no_code_references: bool | None = None
    readable: bool = True


def find_plan(session: Session, plan_id: str, *, step: str) -> Plan:
    """The plan of this project and environment.

    Raises:
        OutOfOrder: No plan_id was given.
        UnknownPlan: There is no such plan here.
    """
    if not plan_id:
        raise refused(session, None, OutOfOrder(step=step, first="review"))
    plan = session.store.plan(plan_id)
    mine = (session.project.name, session.project.environment)
    # A stored plan that no longer has its own name was altered: it is not the one that was shown.
    if plan is None or (plan.project, plan.environment, plan.plan_id) != (*mine, plan_id):
        raise refused(session, None, UnknownPlan(plan_id=visible(plan_id, limit=80)))
    return plan


def open_question(session: Session, plan_id: str, *, can_ask: bool) -> tuple[Plan, Challenge]:
    """Open (or find again) the one question about a plan.

    Raises:
        GateError: The plan may not be asked about: unknown, expired, already run, or the client's
            form proves too little for it.
    """
    plan, now = find_plan(session, plan_id, step="confirm"), session.clock.now()
    if session.store.run(plan_id) is not None:
        raise refused(session, plan, AnswerRefused(plan_id=plan_id, reason="it ran already"))
    try:
        decision.may_ask(plan, policy=POLICY, level="client", now=now)
    except GateError as error:
        raise refused(session, plan, error) from None
    if not can_ask:
        reason = "this client cannot show a form (it declares no MCP form elicitation)"
        raise refused(session, plan, NoChannel(reason=reason, how=HOW_FORM))
    challenge = Challenge(
        nonce=session.chance.nonce(),
        plan_digest=plan.digest,
        principal=session.principal,
        channel="form elicitation",
        created=now,
        expires=min(now + POLICY.question_life, plan.expires),
    )
    kept = session.store.open_challenge(challenge)
    if kept == challenge:
        record(session, "asked", plan, f"question {kept.nonce} by {kept.channel}")
    return plan, kept


def question_text(plan: Plan, challenge: Challenge | None = None) -> str:
    """What the person is shown; the same text for the same question."""
    parts = [*plan.warnings, f"Database: {plan.database.label}"]
    if plan.kind != "generate":
        parts = [*plan.warnings, words.approval_request(plan)]
    if challenge is not None:
        parts.append(f"(Question {challenge.nonce}, asked by rulezero)")
    return "\n\n".join(parts)


def answer(session: Session, plan: Plan, challenge: Challenge, given: FormAnswer) -> ConfirmResult:
    """Take the one answer to a question; a yes becomes a token.

    Raises:
        Declined: The person said no.
        NotPresented: The form was closed without an answer.
        AnswerRefused: It was answered before, too late, or without what it needs.
    """
    if not session.store.answer_challenge(challenge.nonce, _ANSWERS[given.action]):
        error = AnswerRefused(plan_id=plan.plan_id, reason="this question was answered before")
        raise refused(session, plan, error)
    try:
        _judge(session, plan, challenge, given)
    except GateError as error:
        record(session, _event(given), plan, f"question {challenge.nonce}: {error.code}: {error}")
        raise
    return _mint(session, plan, challenge)


def _event(given: FormAnswer) -> Literal["declined", "not presented", "refused"]:
    if given.action == "cancel":
        return "not presented"
    return (
        "declined"
        if given.action == "decline" or (given.readable and given.approve is not True)
        else "refused"
    )


def _judge(session: Session, plan: Plan, challenge: Challenge, given: FormAnswer) -> None:
    if given.action != "accept":
        raise decision.unanswered(
            plan, "declined" if given.action == "decline" else "not presented"
        )
    if not given.readable:
        reason = "the form did not come back filled in as it was asked"
        raise AnswerRefused(plan_id=plan.plan_id, reason=reason)
    decision.judge_answer(
        plan, challenge, approve=given.approve, typed=given.typed, now=session.clock.now()
    )
    if given.backed_up is False:
        raise AnswerRefused(plan_id=plan.plan_id, reason="there is no backup yet")
    if given.no_code_references is False:
        raise AnswerRefused(plan_id=plan.plan_id, reason="code may still use what is dropped")


def _mint(session: Session, plan: Plan, challenge: Challenge) -> ConfirmResult:
    token, now = TOKEN_PREFIX + session.chance.token(), session.clock.now()
    grant = Grant(
        token_hash=token_hash(token),
        plan_digest=plan.digest,
        database=plan.database.label,
        principal=session.principal,
        approver=session.principal,
        channel=challenge.channel,
        level="client",
        created=now,
        expires=min(now + POLICY.grant_life, plan.expires),
    )
    session.store.save_grant(grant)
    record(session, "approved", plan, f"question {challenge.nonce}, level {grant.level}")
    tool = "generate" if plan.kind == "generate" else "apply"
    return ConfirmResult(
        plan_id=plan.plan_id,
        token=token,
        expires=f"{grant.expires:%Y-%m-%d %H:%M:%S} UTC",
        approved_through=challenge.channel,
        proves=PROVES,
        next_step=f"Call `{tool}` with this token before it expires; it works once.",
    )


def plan_of(session: Session, token: str, *, kind: PlanKind) -> Plan:
    """The plan a token was given for.

    Raises:
        TokenRefused: It is not a token of ours, or its plan is of another kind.
    """
    grant = _grant(session, None, token)
    found, digest = session.store.plan(plan_id_of(grant.plan_digest)), grant.plan_digest
    mine = (kind, session.project.name, digest)
    if found is None or (found.kind, found.project, found.digest) != mine:
        reason = "This token was given for another plan."
        raise refused(session, found, TokenRefused(reason=reason))
    return found


def _grant(session: Session, plan: Plan | None, token: str) -> Grant:
    if not token:
        raise refused(session, plan, TokenRefused(reason="There is no token."))
    grant = session.store.grant(token_hash(token)) if looks_like_token(token) else None
    if grant is None:
        raise refused(session, plan, TokenRefused(reason="This token was never given out."))
    return grant


def redeem(session: Session, plan: Plan, token: str) -> Permit:
    """Hold the plan against what stands there now, then spend the token: the only way to a permit.

    Raises:
        GateError: The token is not for this plan, database or caller, or what stands there changed.
        ProjectError: What stands there cannot be read.
    """
    grant = _grant(session, plan, token)
    try:
        decision.redeem(
            plan, grant, principal=session.principal, policy=POLICY, now=session.clock.now()
        )
        observed, _ = observe(session.project, plan)
        decision.still_fits(plan, observed)
    except GateError as error:
        raise refused(session, plan, error) from None
    spent = session.clock.now()
    if not session.store.spend(grant.token_hash, spent):
        raise refused(session, plan, TokenRefused(reason="This token is spent."))
    return decision.permit(grant, spent=spent)


def for_apply(session: Session, plan: Plan) -> None:
    """Refuse plans that `apply` does not carry out.

    Raises:
        NotForThisTool: Naming the tool that does.
    """
    if plan.kind == "generate":
        error = NotForThisTool(
            plan_id=plan.plan_id, kind=plan.kind, tool="apply", right_tool="generate"
        )
        raise refused(session, plan, error)
