"""Who may do what: the whole trust decision, pure.

Every function raises the `GateError` that refuses, or returns what was decided. Nothing here
reads a clock: `now` is an argument.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from rulezero_policies import choices
from rulezero_policies.errors import (
    AnswerRefused,
    Declined,
    GateError,
    NoChannel,
    NotPresented,
    PlanExpired,
    PlanStale,
    QuestionExpired,
    TokenRefused,
)
from rulezero_policies.grant import (
    Answer,
    Challenge,
    Channel,
    Grant,
    Level,
    Permit,
    Proof,
    same,
)
from rulezero_policies.plan import Observed, Plan, differences
from rulezero_policies.policy import (
    CONFIRMATIONS,
    Confirmation,
    Policy,
    confirmations,
    reaches,
    to_type,
)

HOW_ENROLL = (
    "The person runs `rulezero enroll` in a terminal of their own and chooses a PIN; then call "
    "`confirm` again. Or they approve in a client that shows forms, where a form is enough."
)
HOW_PASSKEY = (
    "The person runs `rulezero enroll --passkey` in a terminal of their own; then call `confirm` "
    "again."
)

LONGEST_LOCK = timedelta(days=1)


def may_ask(plan: Plan, *, policy: Policy, now: datetime) -> None:
    """Whether a person may be asked about `plan`.

    Raises:
        PlanExpired: It is too late for this plan.
        PlanStale: The plan was made under another policy.
    """
    _alive(plan, now)
    if plan.policy != policy.digest:
        raise PlanStale(plan_id=plan.plan_id, differences="the policy changed")


def channel(plan: Plan, *, needs: Level, enrolled: Level | None, form: bool) -> Channel:
    """How to ask: by the client's form where that is enough, else by the person's own page.

    Args:
        plan: What is asked about.
        needs: The level that the answer must reach.
        enrolled: The best that the person enrolled.
        form: Whether the client can show a form.

    Raises:
        NoChannel: Nothing that is set up here proves enough.
    """
    if needs == "client" and form:
        return "form elicitation"
    if enrolled is None:
        reason = "this client shows no forms"
        if needs != "client":
            where = "is protected and" if plan.protected else f"at risk {plan.risk}"
            reason = f"{plan.environment} {where} needs a yes of level {needs!r}"
        raise NoChannel(reason=f"{reason}, and no PIN or passkey is enrolled", how=HOW_ENROLL)
    if not reaches(enrolled, needs):
        reason = f"this plan needs a yes of level {needs!r}, and no passkey is enrolled"
        raise NoChannel(reason=reason, how=HOW_PASSKEY)
    return "approval page"


def judge_answer(
    plan: Plan,
    challenge: Challenge,
    *,
    approve: bool,
    typed: str,
    ticked: frozenset[Confirmation],
    now: datetime,
    proof: Proof | None = None,
    decided: Mapping[str, bool] | None = None,
) -> tuple[str, ...]:
    """Whether an answer approves `plan`; `proof` is what a page or a terminal has, a form not.

    `decided` says of each rename (by its key of `choices.keyed`) whether it is one.

    Returns:
        The ids of the plan's renames that the person called renames.

    Raises:
        AnswerRefused: It came too late, for another plan, incomplete, or proves too little.
        Declined: The person said no.
    """
    if not same(challenge.plan_digest, plan.digest):
        raise AnswerRefused(plan_id=plan.plan_id, reason="it answers another question")
    if not challenge.created <= now < challenge.expires:
        raise AnswerRefused(plan_id=plan.plan_id, reason="the question had expired")
    if approve is not True:
        raise Declined(plan_id=plan.plan_id)
    if not _proves(challenge, proof):
        raise AnswerRefused(plan_id=plan.plan_id, reason=f"it needs level {challenge.needs!r}")
    wanted = plan.phrases if proof is None else tuple(w for w in (to_type(plan),) if w)
    if wanted and " ".join(typed.split()) not in wanted:
        raise AnswerRefused(plan_id=plan.plan_id, reason=f"it needs the typed words {wanted[0]!r}")
    for confirmation in confirmations(plan):
        if confirmation not in ticked:
            raise AnswerRefused(plan_id=plan.plan_id, reason=CONFIRMATIONS[confirmation][1])
    return _chosen(plan, decided or {})


def _chosen(plan: Plan, decided: Mapping[str, bool]) -> tuple[str, ...]:
    missing = choices.missing(plan.renames, decided)
    if missing is not None:
        raise AnswerRefused(plan_id=plan.plan_id, reason=missing)
    return choices.chosen(plan.renames, decided)


def _proves(challenge: Challenge, proof: Proof | None) -> bool:
    if proof is None:
        return challenge.channel == "form elicitation" and challenge.needs == "client"
    mine = same(proof.nonce, challenge.nonce) and same(proof.person, challenge.person)
    return mine and proof.level != "client" and reaches(proof.level, challenge.needs)


def unanswered(plan: Plan, challenge: Challenge, answer: Answer) -> GateError:
    """The refusal for a question that got no answer: declined, never shown, or let expire."""
    if answer == "declined":
        return Declined(plan_id=plan.plan_id)
    if answer == "expired":
        expired = f"{challenge.expires:%Y-%m-%d %H:%M} UTC"
        return QuestionExpired(plan_id=plan.plan_id, expired=expired)
    return NotPresented(plan_id=plan.plan_id)


def run_out(challenge: Challenge) -> Answer:
    """What a question that nobody answered in time is closed as."""
    return "not presented" if challenge.shown is None else "expired"


def redeem(
    plan: Plan,
    grant: Grant,
    *,
    principal: str,
    policy: Policy,
    enrolled: Level | None,
    now: datetime,
) -> None:
    """Whether `grant` lets `principal` run `plan` now, before it is spent.

    Raises:
        TokenRefused: The grant is for another plan, database or principal, or spent, or expired.
        PlanExpired: It is too late for this plan.
    """
    if not same(grant.plan_digest, plan.digest):
        raise TokenRefused(reason="This token was given for another plan.")
    if not same(grant.database, plan.database.label):
        raise TokenRefused(reason="This token was given for another database.")
    if not same(grant.principal, principal):
        raise TokenRefused(reason="This token was given to another client.")
    if grant.spent is not None:
        raise TokenRefused(reason="This token is spent.")
    if not grant.created <= now < grant.expires:
        raise TokenRefused(reason="This token has expired.")
    if not reaches(grant.level, policy.needed(plan, enrolled)):
        raise TokenRefused(reason="This token's approval is of too low a level.")
    _alive(plan, now)


def still_fits(plan: Plan, seen: Observed) -> None:
    """Whether what stands there is what was approved.

    Raises:
        PlanStale: With every difference.
    """
    changed = differences(plan, seen)
    if changed:
        raise PlanStale(plan_id=plan.plan_id, differences="; ".join(changed))


def permit(grant: Grant, *, spent: datetime) -> Permit:
    """What the executor holds after the store has spent `grant`."""
    return Permit(
        plan_digest=grant.plan_digest,
        token_hash=grant.token_hash,
        spent=spent,
        chosen=grant.chosen,
    )


def locked_until(
    *, failures: int, last: datetime | None, policy: Policy, now: datetime
) -> datetime | None:
    """Until when no PIN may be tried: from `pin_attempts` failures on, each time twice as long.

    A stricter policy never unlocks what a looser one locks: a project may tighten both numbers.

    Args:
        failures: Wrong PINs since the last right one.
        last: When the last one was tried.
        policy: How many, and how long.
        now: The time.
    """
    if last is None or failures < policy.pin_attempts:
        return None
    lock = timedelta(seconds=policy.lock_seconds) * 2 ** min(failures - policy.pin_attempts, 16)
    until = last + min(lock, LONGEST_LOCK)
    return until if now < until else None


def _alive(plan: Plan, now: datetime) -> None:
    if not plan.created <= now < plan.expires:
        raise PlanExpired(plan_id=plan.plan_id, expired=f"{plan.expires:%Y-%m-%d %H:%M} UTC")
