"""The executor: the only code that changes a database, and only with a spent grant."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rulezero_policies import words
from rulezero_policies.audit import Event
from rulezero_policies.errors import ProjectError, RulezeroError, TokenRefused
from rulezero_policies.grant import Permit, same, token_hash
from rulezero_policies.plan import Plan
from rulezero_policies.text import scrub
from rulezero_tools import gate, graph
from rulezero_tools.planning import record, refused
from rulezero_tools.ports import Runner, Session, silent
from rulezero_tools.records import Run, RunReport
from rulezero_tools.results import ApplyResult

_KIND = re.compile(
    r"\(?(?:\w+\.)*(?P<kind>\w{0,60}(?:Error|Exception)|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+){1,6})[):]"
)
"""How the worker begins what it says of an error: the exception's name, `DuplicateColumn: …`."""


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """What a fresh connection says after a run; `current` is None where it could not be asked."""

    current: tuple[str, ...] | None
    same_schema: bool


def apply(
    session: Session,
    runner: Runner,
    *,
    plan_id: str,
    token: str,
    progress: Callable[[str], None] = silent,
) -> ApplyResult:
    """Run an approved plan once, and read back what became of it.

    A second call with the same token answers with the recorded outcome and runs nothing.

    Args:
        session: The project, the store and the caller.
        runner: The way to a writable session.
        plan_id: Which plan.
        token: From the person's yes.
        progress: Is told what is being done; it must not raise.

    Raises:
        GateError: No person approved exactly this, or something changed since.
        ProjectError: The project cannot be read; nothing was run.
    """
    plan = gate.find_plan(session, plan_id, step="apply")
    gate.for_apply(session, plan)
    earlier = session.store.run(plan_id)
    if earlier is not None:
        return _recorded(session, plan, earlier, token)
    progress("holding what stands there now against what was approved")
    sealed = session.store.sealed(plan.files)
    permit = gate.redeem(session, plan, token)
    run = Run(
        plan_id=plan_id,
        token_hash=permit.token_hash,
        status="running",
        started=session.clock.now(),
    )
    session.store.start_run(run)
    progress(f"running the approved {plan.kind} to {plan.to_revision}")
    report = _carry_out(runner, permit, plan, sealed)
    progress("reading the database back")
    return _result(plan, _finish(session, plan, run, report), repeated=False)


def _carry_out(
    runner: Runner, permit: Permit, plan: Plan, sealed: Mapping[str, bytes]
) -> RunReport:
    """Whatever happens, there is a report; the outcome is then read from the database."""
    try:
        return runner.run(permit, plan, sealed)
    except RulezeroError as error:
        return RunReport(statements=(), error=str(error), seconds=0.0)


def _finish(session: Session, plan: Plan, run: Run, report: RunReport) -> Run:
    seen = _read_back(session, plan)
    arrived = seen.current is not None and graph.at(seen.current) == _goal(plan)
    done = replace(
        run,
        status="applied" if arrived and report.error is None else "failed",
        finished=session.clock.now(),
        report=report,
        current=seen.current,
        outcome=_outcome(plan, report, seen, arrived=arrived),
    )
    session.store.finish_run(done)
    # What a driver says may hold values of rows; the trail is kept, and handed to others.
    told = replace(report, error=report.error and kind(report.error))
    record(session, _event(done), plan, _outcome(plan, told, seen, arrived=arrived))
    return done


def _event(done: Run) -> Event:
    if done.current is None:
        return "unknown outcome"
    return "applied" if done.status == "applied" else "failed"


def kind(error: str) -> str:
    """Of a failed run's error only its kind, as the exception that it begins with is called."""
    named = _KIND.match(error)
    return named["kind"] if named else "An error"


def _read_back(session: Session, plan: Plan) -> ReadBack:
    try:
        database = session.project.describe().database
    except ProjectError:
        return ReadBack(current=None, same_schema=False)
    unchanged = plan.fingerprint is not None and database.fingerprint == plan.fingerprint
    return ReadBack(current=database.current, same_schema=unchanged)


def _goal(plan: Plan) -> str:
    return plan.to_revision


def _outcome(plan: Plan, report: RunReport, seen: ReadBack, *, arrived: bool) -> str:
    """What is known, in words; what is not known is said to be unknown."""
    if seen.current is None:
        return f"Unknown: {_why(report)} and the database could not be read back afterwards."
    now = graph.at(seen.current)
    if arrived and report.error is None:
        return f"The database was read back at {now}."
    if arrived:
        return f"{_why(report)}, but the database was read back at {now}."
    if now == graph.at(plan.from_revisions) and seen.same_schema:
        return f"{_why(report)}. The database is still at {now} and its schema is unchanged."
    if now == graph.at(plan.from_revisions):
        return (
            f"{_why(report)}. The database still says {now}, but its schema is not what it was: "
            "part of the revision was applied."
        )
    return f"{_why(report)}. The database is at {now}: part of the plan was applied."


def _why(report: RunReport) -> str:
    return scrub(report.error).rstrip(".") if report.error else "The run reported no error"


def _recorded(session: Session, plan: Plan, run: Run, token: str) -> ApplyResult:
    if not token or not same(run.token_hash, token_hash(token)):
        reason = "This plan ran already, and not with this token."
        raise refused(session, plan, TokenRefused(reason=reason))
    return _result(plan, run, repeated=True)


def _result(plan: Plan, run: Run, *, repeated: bool) -> ApplyResult:
    current = "unknown" if run.current is None else graph.at(run.current)
    previous = graph.at(plan.from_revisions)
    ok = run.status == "applied"
    known = run.status != "running" and run.current is not None
    return ApplyResult(
        plan_id=plan.plan_id,
        status=("applied" if ok else "failed") if known else "unknown",
        current_revision=current,
        previous_revision=previous,
        rollback_command=plan.rollback_command,
        verified=ok,
        statements=len(run.report.statements) if run.report else 0,
        seconds=run.report.seconds if run.report else 0.0,
        repeated=repeated,
        message=_message(plan, run, current, previous),
        next_step=_next(run, plan),
    )


def _message(plan: Plan, run: Run, current: str, previous: str) -> str:
    if run.status == "applied":
        return words.applied_text(
            current=current,
            previous=previous,
            rollback_command=plan.rollback_command,
            back=plan.kind == "downgrade",
        )
    return run.outcome or "The run began and its end was never recorded: read `status`."


def _next(run: Run, plan: Plan) -> str:
    if run.status == "applied":
        return "Tell the person the current revision and the rollback command."
    if run.status == "running":
        return "Call `status`: it reads the database's revision now."
    if run.current is not None and graph.at(run.current) == graph.at(plan.from_revisions):
        return "Show the error, mend the revision, then call `review` for a new plan."
    return f"Show the error. Call `status`, then decide with the person: {plan.rollback_command}"
