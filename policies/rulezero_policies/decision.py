"""Who may do what: the whole trust decision, pure.

Every function raises the `GateError` that refuses, or returns what was decided. Nothing here
reads a clock: `now` is an argument.
"""

from datetime import datetime

from rulezero_policies.errors import (
    AnswerRefused,
    Declined,
    GateError,
    NoChannel,
    NotPresented,
    PlanExpired,
    PlanStale,
    TokenRefused,
)
from rulezero_policies.grant import Answer, Challenge, Grant, Level, Permit, same
from rulezero_policies.plan import Observed, Plan, differences
from rulezero_policies.policy import Policy, reaches

HOW_PROTECTED = (
    "This version asks people only through the client's own form, which proves a client and not a "
    "person. Show the person the review, and let them run the migration themselves."
)


def may_ask(plan: Plan, *, policy: Policy, level: Level, now: datetime) -> None:
    """Whether a person may be asked about `plan` through a channel of `level`.

    Raises:
        PlanExpired: It is too late for this plan.
        PlanStale: The plan was made under another policy.
        NoChannel: The channel proves less than the policy asks for.
    """
    _alive(plan, now)
    if plan.policy != policy.digest:
        raise PlanStale(plan_id=plan.plan_id, differences="the policy changed")
    needed = policy.needed(protected=plan.protected)
    if not reaches(level, needed):
        reason = f"{plan.environment} is protected and needs a yes of level {needed!r}"
        raise NoChannel(reason=reason, how=HOW_PROTECTED)


def judge_answer(
    plan: Plan, challenge: Challenge, *, approve: bool, typed: str, now: datetime
) -> None:
    """Whether a submitted form approves `plan`.

    Raises:
        AnswerRefused: It came too late, for another plan, or without the phrase.
        Declined: The person said no.
    """
    if not same(challenge.plan_digest, plan.digest):
        raise AnswerRefused(plan_id=plan.plan_id, reason="it answers another question")
    if now >= challenge.expires:
        raise AnswerRefused(plan_id=plan.plan_id, reason="the question had expired")
    if approve is not True:
        raise Declined(plan_id=plan.plan_id)
    if plan.phrases and " ".join(typed.split()) not in plan.phrases:
        reason = f"it needs the typed words {plan.phrases[0]!r}"
        raise AnswerRefused(plan_id=plan.plan_id, reason=reason)


def unanswered(plan: Plan, answer: Answer) -> GateError:
    """The refusal for a form that was not submitted: declined, or never shown."""
    return (
        Declined(plan_id=plan.plan_id)
        if answer == "declined"
        else NotPresented(plan_id=plan.plan_id)
    )


def redeem(plan: Plan, grant: Grant, *, principal: str, policy: Policy, now: datetime) -> None:
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
    if not reaches(grant.level, policy.needed(protected=plan.protected)):
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
    return Permit(plan_digest=grant.plan_digest, token_hash=grant.token_hash, spent=spent)


def _alive(plan: Plan, now: datetime) -> None:
    if not plan.created <= now < plan.expires:
        raise PlanExpired(plan_id=plan.plan_id, expired=f"{plan.expires:%Y-%m-%d %H:%M} UTC")
