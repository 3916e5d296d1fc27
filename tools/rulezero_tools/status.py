"""Where the project stands and what to do next."""

from rulezero_policies.findings import Risk
from rulezero_policies.grant import Level
from rulezero_policies.plan import Plan
from rulezero_tools import databases, gate, graph, recovering, resuming
from rulezero_tools.enrolment import enrolled
from rulezero_tools.planning import database_view, holes, protected
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.purge import views
from rulezero_tools.records import Description
from rulezero_tools.results import BranchView, PlanView, RevisionView, RunView, StatusResult

RISKS: tuple[Risk, ...] = ("SAFE", "WARNING", "CRITICAL")


@loads_once
def status(
    session: Session, *, environments: tuple[str, ...], interpreter: str, can_ask: bool
) -> StatusResult:
    """Read the project, its database and what is open.

    Args:
        session: The project, the store and the caller.
        environments: The names the configuration knows.
        interpreter: The project's Python and where it was found.
        can_ask: Whether the client can put a form before a person.

    Raises:
        ProjectError: The project or its database cannot be read.
    """
    # First what became of runs: it may still move the database.
    runs = _runs(session)
    at, seen, every = databases.chosen(session)
    listed = databases.views(seen, every)
    guarded = protected(session, seen.database.identity)
    waiting = graph.pending(seen)
    return StatusResult(
        project=session.project.name,
        flavour=seen.flavour,
        environment=session.project.environment,
        environments=environments,
        protected=guarded,
        interpreter=f"{interpreter}; Python {seen.python}, alembic {seen.alembic}, "
        f"sqlalchemy {seen.sqlalchemy}",
        database=database_view(seen),
        current=seen.database.current,
        heads=seen.heads,
        pending=tuple(RevisionView(revision=r.id, path=r.path, message=r.message) for r in waiting),
        approval=_approval(session, can_ask=can_ask, guarded=guarded),
        open_plans=_open_plans(session),
        warnings=holes(seen.interceptions),
        next_step=_going_on(runs)
        or resuming.told(resuming.half_done(session, seen))
        or (databases.behind(listed) if len(seen.heads) < 2 else None)
        or _next(seen, waiting=bool(waiting)),
        runs=runs,
        chosen=at.project.bind,
        databases=listed,
        branches=_branches(seen),
        archives=views(at),
    )


def _branches(seen: Description) -> tuple[BranchView, ...]:
    if len(seen.heads) < 2:
        return ()
    done = graph.lineage(seen, seen.database.current)
    return tuple(
        BranchView(head=head, labels=graph.labels_of(seen, head), applied=head in done)
        for head in seen.heads
    )


def _runs(session: Session) -> tuple[RunView, ...]:
    """Runs of this project that were not over when last heard of, as they are now."""
    mine = (session.project.name, session.project.environment)
    found = ((session.store.plan(run.plan_id), run) for run in session.store.unsettled())
    return tuple(
        recovering.view(plan, recovering.current(session, plan, run))
        for plan, run in found
        if plan is not None and (plan.project, plan.environment) == mine
    )


def _going_on(runs: tuple[RunView, ...]) -> str | None:
    if any(run.status == "running" for run in runs):
        return "A run is under way: call `status` again until it has ended."
    if any(run.ending == "partially applied" for run in runs):
        return "Show the person what is committed, and the steps to resume and to undo."
    return None


def _approval(session: Session, *, can_ask: bool, guarded: bool) -> str:
    needs = session.policy.protected if guarded else session.policy.local
    best = enrolled(session.desk)
    levels = ", ".join(f"{risk} needs level {needs.at(risk).given(best)!r}" for risk in RISKS)
    return f"{levels}. {_ways(best, can_ask=can_ask)}"


def _ways(best: Level | None, *, can_ask: bool) -> str:
    """Which ways there are to a person, and how to come by more."""
    if best is not None:
        page = f"The person's own page reaches {best!r}"
        return f"{page}, this client's form 'client'." if can_ask else f"{page}; there is no form."
    more = "the person runs `rulezero enroll` for a PIN"
    if can_ask:
        return f"This client's form reaches 'client'; for more {more}."
    return f"This client shows no forms: plans can be made here, not approved, until {more}."


def _open_plans(session: Session) -> tuple[PlanView, ...]:
    now = session.clock.now()
    return tuple(
        PlanView(
            plan_id=p.plan_id,
            kind=p.kind,
            description=p.description,
            risk=p.risk,
            state=_state(session, p),
            database=p.bind,
        )
        for p in session.store.plans(session.project.name)[:5]
        if session.store.run(p.plan_id) is None and now < p.expires
    )


def _state(session: Session, plan: Plan) -> str:
    if plan.kind != "generate" and gate.in_trail(session, plan, "spent", ""):
        return "its token was spent and its run never began: nothing happened; call `review`"
    return "waits for a person"


def _next(seen: Description, *, waiting: bool) -> str:
    several = len(seen.heads) > 1
    if several and waiting:
        return (
            f"There are several heads: {graph.named_heads(seen)}. Call `review` with `branch` set "
            "to one of them, or, if the person wants them joined, `generate` with merge=true."
        )
    if waiting:
        return "Call `review`: revisions wait to be applied."
    more = "; `generate` then needs `branch`" if several else ""
    return f"Change the models, then call `analyze`{more}."
