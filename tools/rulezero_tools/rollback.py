"""Plan a downgrade: what it undoes, which data it loses. It runs through the same gate."""

from collections.abc import Callable
from dataclasses import replace

from rulezero_policies import checklist, rules, words
from rulezero_policies.backup import affected
from rulezero_policies.plan import Plan
from rulezero_policies.scene import Scene, questions
from rulezero_tools import graph, resuming, routes
from rulezero_tools import restore as restoring
from rulezero_tools.planning import Draft, fact_views, make_plan, pictures
from rulezero_tools.ports import Session, loads_once, silent
from rulezero_tools.reaching import reaches_out
from rulezero_tools.records import Database, Description, Revision, Trace
from rulezero_tools.rehearse import Ways, downgrading, tried, view
from rulezero_tools.results import RollbackResult
from rulezero_tools.shorten import shown_sql
from rulezero_tools.undoing import undone


@loads_once
def rollback(
    session: Session,
    *,
    revision: str | None = None,
    restore: str | None = None,
    resume: str | None = None,
    undo: str | None = None,
    branch: str | None = None,
    progress: Callable[[str], None] = silent,
) -> RollbackResult:
    """Plan a downgrade to `revision` ("base" for none; default: the one before the current).

    Args:
        session: The project, the store and the caller.
        revision: Back to which revision.
        restore: A plan that ran: put back the backup that was made before it, instead.
        resume: The rollback's plan whose run stopped half way and is gone on with.
        undo: The plan whose run stopped half way in a revision, which is undone instead: no
            revision is run.
        branch: Only this branch of several (a label or a revision) that the database is at.
        progress: Is told what is being done.

    Raises:
        GateError: `resume` or `undo` names no run that left something half done.
        NothingPending: There is nothing to undo, or the database is before that revision.
        UnknownRevision: There is no such revision.
        BackupUnusable: There is no such backup, or it cannot be put back.
        ProjectError: The project cannot be read, or the database is at several heads and none of
            them was chosen.
    """
    if restore is not None:
        return _result(restoring.restore(session, plan_id=restore, progress=progress))
    progress("reading the project and its database")
    seen = session.project.describe()
    graph.check_current(seen)
    if undo:
        draft, ways = undone(session, seen, undo)
    else:
        draft, ways = _downgrade(session, seen, revision, branch, resume)
    files = session.project.files()
    draft = tried(session, seen, draft, ways, files, progress)
    plan = make_plan(session, seen, draft, files)
    return _result(plan)


def _downgrade(
    session: Session,
    seen: Description,
    revision: str | None,
    branch: str | None,
    resume: str | None,
) -> tuple[Draft, Ways]:
    rest = resuming.rest(session, seen, resume, kind="downgrade") if resume else None
    to, route = routes.down(session, seen, rest.plan.to_revision if rest else revision, branch)
    undo = graph.passed(seen, route)
    traces = session.project.trace([r.id for r in undo])
    traces = rest.of(traces) if rest else traces
    draft = _draft(session, seen, undo, traces, to)
    again = words.upgrade_command(seen.flavour, route.back, bind=session.project.bind)
    draft = replace(draft, to_revisions=route.heads, rollback_command=again)
    draft = rest.on(draft) if rest else resuming.warned(session, seen, draft)
    offered = restoring.offer(session, undo)
    warnings = (*draft.warnings, *([offered] if offered else []))
    return replace(draft, warnings=warnings), downgrading(traces)


def _draft(
    session: Session,
    seen: Description,
    undo: tuple[Revision, ...],
    traces: tuple[Trace, ...],
    target: str,
) -> Draft:
    scene = _scene(seen.database, traces)
    asked = questions(scene.upgrade, scene.dialect)
    facts = session.project.probe(asked) if asked else ()
    scene = replace(scene, facts=facts)
    start = ",".join(seen.database.current)
    rendered = session.project.render(direction="downgrade", start=start, to=target)
    stopped = (i for t in traces for i in t.interceptions)
    reached = reaches_out((*seen.interceptions, *stopped, *rendered.interceptions))
    findings = (*reached, *rules.review(scene))
    return Draft(
        kind="downgrade",
        to_revision=target,
        revisions=tuple(r.id for r in undo),
        description=f"roll back {'; '.join(r.message for r in undo)}",
        path=undo[0].path,
        changes=tuple(checklist.describe(o) for o in scene.upgrade),
        findings=findings,
        facts=facts,
        warnings=words.critical_warnings(findings, scene.upgrade),
        sql=rendered.sql or f"-- not rendered: {rendered.reason}",
        rollback_command="",
        pictures=pictures(session, scene.upgrade),
        affected=affected(scene.upgrade),
    )


def _scene(database: Database, traces: tuple[Trace, ...]) -> Scene:
    """The downgrades as steps of their own; rules about a file's other half do not apply."""
    errors = [f"{t.revision}: {t.downgrade_error}" for t in traces if t.downgrade_error]
    return Scene(
        dialect=database.identity.dialect,
        version=database.numbers,
        stage="rollback",
        upgrade=tuple(o for t in traces for o in t.downgrade),
        upgrade_error="; ".join(errors) or None,
        own_transaction=any(t.own_transaction for t in traces),
    )


def _result(plan: Plan) -> RollbackResult:
    return RollbackResult(
        plan_id=plan.plan_id,
        from_revision=graph.at(plan.from_revisions),
        to_revision=plan.to_revision,
        verdict=plan.verdict,
        risk=plan.risk,
        changes=plan.changes,
        findings=plan.findings,
        facts=fact_views(plan.facts),
        warnings=plan.warnings,
        sql=shown_sql(plan.sql),
        approval_request=words.approval_request(plan),
        next_step=f"Nothing was changed. Show this to the person, then call `confirm` with plan_id "
        f"{plan.plan_id}; with the token, `apply`.",
        rehearsal=view(plan.rehearsal),
    )
