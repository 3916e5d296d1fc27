"""What became of a run: while it lives, when it ended, and when nobody was there to hear it."""

from dataclasses import replace
from datetime import timedelta

from rulezero_policies.audit import Event
from rulezero_policies.errors import ProjectError
from rulezero_policies.grant import token_hash
from rulezero_policies.plan import Plan
from rulezero_policies.text import scrub
from rulezero_tools import afterwards, endings, restored
from rulezero_tools.landing import ReadBack
from rulezero_tools.parity import observing
from rulezero_tools.planning import record
from rulezero_tools.ports import Session
from rulezero_tools.records import Aftermath, Run, RunReport
from rulezero_tools.results import RunView

STARTING = timedelta(seconds=5)
"""How long a run that was recorded may take to begin, before it is taken for one that never will.

It decides only what is said meanwhile: a run that was given up never begins.
"""


def spent_in_vain(session: Session, plan: Plan, token: str) -> Run | None:
    """The run that a token was spent for and that never began; None where there is none.

    Whoever spends a token records its run at once: one that was killed in between has none.
    """
    grant = session.store.grant(token_hash(token)) if token.isascii() else None
    if grant is None or grant.spent is None or grant.plan_digest != plan.digest:
        return None
    if session.clock.now() - grant.spent < STARTING:
        return None
    return Run(
        plan_id=plan.plan_id,
        token_hash=grant.token_hash,
        status="running",
        started=grant.spent,
        host=session.runs.here,
    )


def current(session: Session, plan: Plan, run: Run, *, wait: bool = False) -> Run:
    """`run` as it is now: settled if that can be, recorded and in the audit trail.

    Args:
        session: The project, the store and the caller.
        plan: What runs.
        run: As it was recorded.
        wait: Whether to wait for one that lives.
    """
    if run.settled:
        return run
    if session.clock.now() - run.started < STARTING and not session.runs.began(run.plan_id):
        return run
    if run.host not in {None, session.runs.here}:
        return _elsewhere(session, plan, run)
    report = session.runs.look(run.plan_id, wait=wait)
    if report.state == "running":
        return replace(run, report=report)
    return finish(session, plan, run, report, found=True)


def _elsewhere(session: Session, plan: Plan, run: Run) -> Run:
    """A run of another machine: the database's lock tells whether it lives, its state the rest."""
    if plan.kind == "files":
        return run
    try:
        if session.on(plan.bind).project.describe().database.locked:
            return run
    except ProjectError:
        return run
    report = RunReport(statements=(), error=None, seconds=0.0, state="died")
    return finish(session, plan, run, report, found=True)


def finish(
    session: Session, plan: Plan, run: Run, report: RunReport, *, found: bool = False
) -> Run:
    """Read the database back, judge, record; or take what somebody else has recorded meanwhile."""
    seen = read_back(session.on(plan.bind), plan, report)
    if seen.aftermath.alive:
        return replace(run, report=replace(report, state="running"))
    judged = _judged(plan, report, seen)
    done = replace(
        run,
        status="applied" if judged.ending == "applied" else "failed",
        finished=session.clock.now(),
        report=replace(report, sent=judged.sent),
        current=seen.current,
        outcome=judged.outcome + _invalid(seen.aftermath),
        cause=afterwards.cause(session, report, judged.sent)
        if judged.ending != "applied"
        else None,
        remaining=seen.remaining,
        unasked=seen.unasked,
        fingerprint=seen.fingerprint,
        ending=judged.ending,
        resume=judged.resume,
        undo=judged.undo,
    )
    if not session.store.finish_run(done):
        return session.store.run(run.plan_id) or done
    record(session, _event(done), plan, _told(plan, report, judged, seen, found=found))
    if done.settled and session.settings_files and plan.kind == "files":
        session.settings_files.forget(plan)
    if done.settled:
        session.runs.forget(done.plan_id)
    return done


def _judged(plan: Plan, report: RunReport, seen: ReadBack) -> endings.Judged:
    if plan.restoring is not None:
        return restored.judge(plan.restoring, report, seen)
    if plan.kind == "files":
        return observing.judge(plan, report, seen)
    return endings.judge(plan, report, seen)


def _told(
    plan: Plan, report: RunReport, judged: endings.Judged, seen: ReadBack, *, found: bool
) -> str:
    """For the trail, which is kept and handed to others: neither statements nor a driver's words.

    Both may hold values of rows.
    """
    plain = replace(report, error=report.error and endings.kind(report.error))
    if plan.restoring is not None:
        said = restored.judge(plan.restoring, plain, seen).outcome
        return f"{'found afterwards: ' if found else ''}{judged.ending}. {said}"
    if plan.kind == "files":
        return f"{'found afterwards: ' if found else ''}{judged.ending}. {judged.outcome}"
    sent = [replace(s, text=f"statement {n}") for n, s in enumerate(judged.sent, start=1)]
    told = endings.outcome(plan, plain, sent, seen, judged.ending)
    return f"{'found afterwards: ' if found else ''}{judged.ending}. {told}"


def _invalid(aftermath: Aftermath) -> str:
    if not aftermath.invalid_indexes:
        return ""
    names = ", ".join(aftermath.invalid_indexes)
    return f" These indexes are INVALID and serve no query: {names}. Drop them, then build again."


def _event(done: Run) -> Event:
    if done.ending == "unknown":
        return "unknown outcome"
    return "applied" if done.status == "applied" else "failed"


def so_far(run: Run) -> str:
    """How far a run is that lives."""
    sent = run.report.sent if run.report else ()
    where = f" It is at {endings.named(sent[-1])}." if sent else ""
    held = f" on {run.host}" if run.host and not run.report else ""
    return (
        f"The run has begun{held} and goes on by itself, whatever happens to this call: "
        f"{len(sent)} statements so far.{where}"
    )


def view(plan: Plan, run: Run) -> RunView:
    """A run as `status` shows it."""
    running = run.status == "running"
    return RunView(
        plan_id=plan.plan_id,
        status=run.status,
        ending=run.ending,
        statements=len(run.report.sent) if run.report else 0,
        message=so_far(run) if running else run.outcome or "",
        resume=run.resume,
        undo=run.undo,
    )


def read_back(session: Session, plan: Plan, report: RunReport) -> ReadBack:
    """What a new connection says of the database after a run."""
    if plan.kind == "files":
        return observing.read_back(session, plan)
    aftermath = Aftermath()
    try:
        with session.project.reading():
            if _open_questions(report):
                aftermath = session.runs.aftermath(report)
            description = session.project.describe()
            differing = afterwards.differing(session, plan, description)
            mark = session.backups.mark() if session.backups and plan.restoring else None
    except ProjectError as error:
        return ReadBack(current=None, aftermath=aftermath, why=scrub(f"{error.code}: {error}"))
    database = description.database
    return ReadBack(
        current=database.current,
        fingerprint=database.fingerprint,
        aftermath=aftermath,
        mark=mark,
        remaining=differing.lines,
        unasked=differing.unasked,
        revisions=tuple(r.id for r in description.revisions),
    )


def _open_questions(report: RunReport) -> bool:
    """Whether the database has more to tell than where it is."""
    doubts = any(s.landed in {"in doubt", "in part"} for s in report.sent)
    indexes = any("concurrently" in s.text.lower() for s in report.sent)
    return doubts or indexes or (report.state == "died" and bool(report.sessions))
