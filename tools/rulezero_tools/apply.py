"""The executor: the only code that changes a database, and only with a spent grant."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from rulezero_policies import words
from rulezero_policies.errors import RulezeroError, TokenRefused
from rulezero_policies.grant import Permit, same, token_hash
from rulezero_policies.parity import filewords
from rulezero_policies.plan import Plan
from rulezero_tools import afterwards, backups, endings, gate, graph, recovering, securing
from rulezero_tools.causes import cause_view
from rulezero_tools.parity import observing
from rulezero_tools.planning import refused
from rulezero_tools.ports import Session, silent
from rulezero_tools.records import Run, RunReport
from rulezero_tools.results import ApplyResult
from rulezero_tools.runport import Runner

MOST = 20
"""Statements in a result."""


def apply(
    session: Session,
    runner: Runner,
    *,
    plan_id: str,
    token: str,
    progress: Callable[[str], None] = silent,
) -> ApplyResult:
    """Run an approved plan once, and read back what became of it.

    A second call with the same token answers with what became of the run, and runs nothing.

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
    earlier = session.store.run(plan_id) or recovering.spent_in_vain(session, plan, token)
    if earlier is not None:
        return _recorded(session, plan, earlier, token)
    progress("holding what stands there now against what was approved")
    # Settings files hold secrets: their bytes are kept nowhere but in them and in their backup.
    sealed = session.store.sealed(() if plan.kind == "files" else plan.files)
    arrived = session.clock.now()
    with securing.secured(session.on(plan.bind), plan, token, progress) as backup:
        permit = gate.redeem(session, plan, token, since=arrived if backup else None)
    run = Run(
        plan_id=plan_id,
        token_hash=permit.token_hash,
        status="running",
        started=session.clock.now(),
        host=session.runs.here,
        backup=backup,
    )
    session.store.start_run(run)
    where = "" if plan.kind in {"undo", "files"} else f" to {plan.to_revision}"
    progress(f"running the approved {plan.kind}{where}")
    report = _carry_out(runner, permit, plan, sealed)
    if report.state == "running":
        return _result(plan, replace(run, report=report), repeated=False)
    progress("reading back what stands there now")
    return _result(plan, recovering.finish(session, plan, run, report), repeated=False)


def _carry_out(
    runner: Runner, permit: Permit, plan: Plan, sealed: Mapping[str, bytes]
) -> RunReport:
    """Whatever happens, there is a report; the outcome is then read from the database."""
    try:
        return runner.run(permit, plan, sealed)
    except RulezeroError as error:
        return RunReport(statements=(), error=str(error), seconds=0.0)


def _recorded(session: Session, plan: Plan, run: Run, token: str) -> ApplyResult:
    if not token or not same(run.token_hash, token_hash(token)):
        reason = "This plan ran already, and not with this token."
        raise refused(session, plan, TokenRefused(reason=reason))
    return _result(plan, recovering.current(session, plan, run, wait=True), repeated=True)


def _result(plan: Plan, run: Run, *, repeated: bool) -> ApplyResult:
    current, previous = _revisions(plan, run)
    report = run.report
    kept = endings.committed(report.sent) if report else ()
    return ApplyResult(
        plan_id=plan.plan_id,
        status="unknown" if run.ending == "unknown" else run.status,
        current_revision=current,
        previous_revision=previous,
        rollback_command=observing.way_back(plan) or plan.rollback_command,
        verified=run.status == "applied",
        statements=_sent(report) if report else 0,
        seconds=report.seconds if report else 0.0,
        repeated=repeated,
        message=_message(plan, run, current, previous),
        next_step=observing.next_step(run, plan) or _next(run, plan),
        ending=run.ending,
        committed=tuple(endings.named(s) for s in kept[:MOST]) if run.status != "applied" else (),
        resume=run.resume,
        undo=run.undo,
        backup=backups.view(run.backup),
        cause=cause_view(run.cause),
        remaining=None if run.remaining is None else run.remaining[:MOST],
    )


def _revisions(plan: Plan, run: Run) -> tuple[str, str]:
    if plan.kind == "files":
        return "not touched", "not touched"
    current = "unknown" if run.current is None else graph.at(run.current)
    return current, graph.at(plan.from_revisions)


def _sent(report: RunReport) -> int:
    """How many statements were sent."""
    return len(report.statements) - sum(s.landed == "skipped" for s in report.sent)


def _message(plan: Plan, run: Run, current: str, previous: str) -> str:
    if run.status == "running":
        return recovering.so_far(run)
    if run.status != "applied":
        return _failed(run)
    if plan.kind == "undo":
        return words.undone_text(current=current, statements=plan.statements)
    if plan.kind in {"purge", "discard"}:
        return _gone(plan, run, current)
    if plan.kind == "files":
        return filewords.written(plan, run.outcome or "", run.report and run.report.kept)
    text = words.applied_text(
        current=current,
        previous=previous,
        rollback_command=plan.rollback_command,
        kind=plan.kind,
    )
    told = run.outcome if run.report and (run.report.error or run.report.state == "died") else None
    return "\n\n".join(part for part in (text, told, afterwards.remaining(run)) if part)


def _failed(run: Run) -> str:
    told = run.outcome or "How the run ended was not recorded: read `status`."
    rows = f"{run.cause.in_the_way} {run.cause.advice}".strip() if run.cause else ""
    return f"{told}\n\n{rows}" if rows else told


def _gone(plan: Plan, run: Run, current: str) -> str:
    kept = run.report.kept if run.report else None
    place = f" Its bytes are kept in {kept}: copy that back to undo this." if kept else ""
    return f"Done: {plan.description}.{place} Current revision: {current}."


def _next(run: Run, plan: Plan) -> str:
    if run.status == "applied" and plan.kind in {"purge", "discard"}:
        return "Tell the person what is gone, and where it is kept if it is."
    if run.status == "applied":
        undone = "Tell the person what was undone. To try again, call `review`."
        told = "Tell the person the current revision and the rollback command."
        return undone if plan.kind == "undo" else told
    if run.status == "running":
        return "Call `apply` again with the same token (it runs nothing twice), or `status`."
    if run.ending == "unknown":
        return "Show this. Call `apply` again with the same token once the database answers."
    if run.ending in {"nothing happened", "rolled back whole"}:
        return "Show the error, mend the cause, then call `review` for a new plan."
    restore = f", or `rollback` with restore={plan.plan_id!r}" if run.backup else ""
    return (
        "Show the error, what is committed, and both ways: `resume` and `undo`. The person decides "
        f"which of those calls you make; the whole way back is {plan.rollback_command}{restore}"
    )
