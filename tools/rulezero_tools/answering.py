"""Where a person answers, on the page or in a terminal: what waits, a yes with its proof, a no."""

from collections.abc import Mapping
from dataclasses import dataclass

from rulezero_policies import decision
from rulezero_policies.audit import Event
from rulezero_policies.errors import AnswerRefused, GateError, UnknownPlan
from rulezero_policies.grant import Challenge, Channel, Proof
from rulezero_policies.plan import Plan, plan_id_of
from rulezero_policies.policy import Confirmation
from rulezero_policies.text import visible
from rulezero_tools.enrolment import answered_with_yes, note
from rulezero_tools.ports import Desk


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A question that stands open, with the plan it is about."""

    plan: Plan
    challenge: Challenge


def waiting(desk: Desk) -> tuple[Waiting, ...]:
    """What this person may answer now, oldest first."""
    found = (
        (desk.store.plan(plan_id_of(c.plan_digest)), c)
        for c in desk.store.waiting(desk.person, desk.clock.now())
    )
    return tuple(
        Waiting(plan=p, challenge=c)
        for p, c in found
        if p is not None and p.digest == c.plan_digest
    )


def find(desk: Desk, plan_id: str) -> Waiting:
    """The open question about a plan.

    Raises:
        UnknownPlan: Nothing waits under that name.
    """
    found = next((w for w in waiting(desk) if w.plan.plan_id == plan_id), None)
    if found is None:
        raise UnknownPlan(plan_id=visible(plan_id, limit=80))
    return found


def shown(desk: Desk, asked: Waiting) -> None:
    """Record that the person was shown the plan."""
    desk.store.show_challenge(asked.challenge.nonce, desk.clock.now())


def decline(desk: Desk, asked: Waiting, *, channel: Channel) -> None:
    """Take a no; it needs no secret.

    Raises:
        AnswerRefused: The question was answered before.
    """
    if not desk.store.answer_challenge(
        asked.challenge.nonce, "declined", approver=desk.person, through=channel
    ):
        raise _before(desk, asked)
    _note(desk, "declined", asked, f"by {channel}")


def approve(
    desk: Desk,
    asked: Waiting,
    proof: Proof,
    *,
    typed: str = "",
    ticked: frozenset[Confirmation] = frozenset(),
    decided: Mapping[str, bool] | None = None,
) -> None:
    """Take a yes; the token goes to the client that asked, with its next `confirm`.

    `decided` says of each rename whether it is one, by its key of `choices.keyed`.

    An incomplete answer is refused and may be given again; only a whole one closes the question.

    Raises:
        AnswerRefused: It is incomplete, late, proves too little, or was answered before.
    """
    plan, challenge = asked.plan, asked.challenge
    try:
        chosen = decision.judge_answer(
            plan,
            challenge,
            approve=True,
            typed=typed,
            ticked=ticked,
            now=desk.clock.now(),
            proof=proof,
            decided=decided,
        )
    except GateError as error:
        _note(desk, "refused", asked, f"{error.code}: {error}")
        raise
    # First the trail: a client that looks in between must not find an answer that it lacks.
    said = answered_with_yes(challenge.nonce, proof.level, proof.channel, chosen)
    note(desk, "answered", said, challenge=challenge)
    if not desk.store.answer_challenge(
        challenge.nonce,
        "approved",
        level=proof.level,
        approver=desk.person,
        through=proof.channel,
        chosen=chosen,
    ):
        raise _before(desk, asked)


def _before(desk: Desk, asked: Waiting) -> GateError:
    reason = "this question was answered before"
    error = AnswerRefused(plan_id=asked.plan.plan_id, reason=reason)
    _note(desk, "refused", asked, f"{error.code}: {error}")
    return error


def _note(desk: Desk, event: Event, asked: Waiting, detail: str) -> None:
    note(desk, event, f"question {asked.challenge.nonce} {detail}", challenge=asked.challenge)
