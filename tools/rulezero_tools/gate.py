"""The gate: the one place where a token is made and where it is spent."""

from datetime import datetime

from rulezero_policies import decision
from rulezero_policies.audit import Event, chained
from rulezero_policies.errors import (
    GateError,
    NotForThisTool,
    OutOfOrder,
    ProjectError,
    TokenRefused,
    UnknownPlan,
)
from rulezero_policies.grant import (
    TOKEN_PREFIX,
    Channel,
    Grant,
    Level,
    Permit,
    looks_like_token,
    token_hash,
)
from rulezero_policies.plan import Plan, PlanKind, plan_id_of
from rulezero_policies.text import visible
from rulezero_tools.enrolment import enrolled
from rulezero_tools.planning import observe, record, refused
from rulezero_tools.ports import Session


def find_plan(session: Session, plan_id: str, *, step: str) -> Plan:
    """The plan of this project and environment.

    Raises:
        OutOfOrder: No plan_id was given.
        UnknownPlan: There is no such plan here.
    """
    if not plan_id:
        raise refused(session, None, OutOfOrder(step=step, first="review"))
    # What a client sends may hold what no store can be asked for.
    plan = session.store.plan(plan_id) if plan_id.isascii() else None
    mine = (session.project.name, session.project.environment)
    # A stored plan that no longer has its own name was altered: it is not the one that was shown.
    if plan is None or (plan.project, plan.environment, plan.plan_id) != (*mine, plan_id):
        raise refused(session, None, UnknownPlan(plan_id=visible(plan_id, limit=80)))
    return plan


def mint(
    session: Session,
    plan: Plan,
    *,
    nonce: str,
    level: Level,
    approver: str,
    channel: Channel,
    chosen: tuple[str, ...] = (),
) -> tuple[str, Grant]:
    """A token for a question that was answered with yes, and the grant behind it."""
    token, now = TOKEN_PREFIX + session.chance.token(), session.clock.now()
    grant = Grant(
        token_hash=token_hash(token),
        plan_digest=plan.digest,
        database=plan.database.label,
        principal=session.principal,
        approver=approver,
        channel=channel,
        level=level,
        created=now,
        expires=min(now + session.policy.grant_life, plan.expires),
        chosen=chosen,
    )
    session.store.save_grant(grant)
    said = f"question {nonce}, level {level} by {channel}, {approver}; grant {grant.mark}"
    record(session, "approved", plan, said)
    return token, grant


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


def redeem(session: Session, plan: Plan, token: str, *, since: datetime | None = None) -> Permit:
    """Hold the plan against what stands there now, then spend the token: the only way to a permit.

    Args:
        session: The project, the store and the caller.
        plan: What is about to run.
        token: From the person's yes.
        since: When the token was brought, where a backup was made in between, which may take
            longer than a token lives. All else is held against now.

    Raises:
        GateError: The token is not for this plan, database or caller, or what stands there changed.
        ProjectError: What stands there cannot be read.
    """
    grant = check(session, plan, token, since=since)
    spent = session.clock.now()
    if not session.store.spend(grant.token_hash, spent):
        raise refused(session, plan, TokenRefused(reason="This token is spent."))
    record(session, "spent", plan, f"grant {grant.mark}")
    return decision.permit(grant, spent=spent)


def choice(session: Session, plan: Plan, token: str) -> tuple[str, ...]:
    """What the person chose for a `generate` plan. The token is spent, and no permit comes of it.

    Raises:
        GateError: As `redeem`.
        ProjectError: As `redeem`.
    """
    return redeem(session, plan, token).chosen


def check(session: Session, plan: Plan, token: str, *, since: datetime | None = None) -> Grant:
    """Everything that `redeem` checks; nothing is spent. See there."""
    grant = _grant(session, plan, token)
    try:
        _check(session, plan, grant, since)
        observed, _ = observe(session, plan)
        decision.still_fits(plan, observed)
        # Reading a project takes its time, and the project decides how long.
        _check(session, plan, grant, since)
    except GateError as error:
        raise refused(session, plan, error) from None
    except ProjectError as error:
        # Its words are a driver's or the project's own: only its name is kept.
        record(session, "refused", plan, f"{error.code}: the project could not be read")
        raise
    return grant


def _check(session: Session, plan: Plan, grant: Grant, since: datetime | None) -> None:
    decision.redeem(
        plan,
        grant,
        principal=session.principal,
        policy=session.policy,
        enrolled=enrolled(session.desk),
        now=since or session.clock.now(),
    )
    _as_it_was_given(session, plan, grant)


def _as_it_was_given(session: Session, plan: Plan, grant: Grant) -> None:
    """A row that somebody wrote or changed has no entry in the audit trail that names it."""
    if not in_trail(session, plan, "approved", f"grant {grant.mark}"):
        raise TokenRefused(reason="The audit trail knows no approval that gave this token.")
    if in_trail(session, plan, "spent", f"grant {grant.mark}"):
        raise TokenRefused(reason="This token is spent.")


def in_trail(session: Session, plan: Plan, event: Event, ending: str) -> bool:
    """Whether the audit trail holds such an entry about `plan`, unaltered."""
    return any(
        entry.event == event
        and entry.plan_id == plan.plan_id
        and entry.detail.endswith(ending)
        and chained(entry) == entry
        for entry in session.store.entries(project=plan.project, plan_id=plan.plan_id)
    )


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
