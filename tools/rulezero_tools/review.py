"""Read what waits to run as it really runs, judge it, and freeze it into a plan."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rulezero_policies import checklist, risk, rules, suppression, words
from rulezero_policies.backup import affected
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.plan import Plan
from rulezero_policies.references import References, told
from rulezero_policies.scene import Flaw, Scene, questions
from rulezero_policies.suppression import Suppressed, suppress
from rulezero_tools import edits, graph, resuming, routes
from rulezero_tools.planning import (
    Draft,
    database_view,
    fact_views,
    freeze,
    holes,
    make_plan,
    next_step,
    pictures,
)
from rulezero_tools.ports import Session, loads_once, silent
from rulezero_tools.reaching import reaches_out, unjudged
from rulezero_tools.records import Database, Description, Interception, Revision, Route, Trace
from rulezero_tools.rehearse import tried, upgrading, view
from rulezero_tools.results import Check, ReviewResult, reference_views
from rulezero_tools.safer import staging
from rulezero_tools.scenes import scene_of
from rulezero_tools.shorten import shown_sql
from rulezero_tools.using import references

UNASKED = "No data was asked: how long locks are held on which table was not judged."
"""What a review says that looks at files alone, or at what is applied already."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the revisions of a plan do, and what the rules say of it."""

    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    references: References | None = None
    suppressed: tuple[Suppressed, ...] = ()


@loads_once
def review(
    session: Session,
    *,
    revision: str | None = None,
    resume: str | None = None,
    branch: str | None = None,
    progress: Callable[[str], None] = silent,
) -> ReviewResult:
    """Review everything an upgrade to `revision` (default: the head) would run.

    Args:
        session: The project, the store and the caller.
        revision: Up to which revision.
        resume: The plan whose run stopped half way and is gone on with; it says up to where.
        branch: Of several heads, the one on this branch (a label or a revision); default: the only
            head there is.
        progress: Is told what is being done.

    Raises:
        NothingPending: The database is there already.
        GateError: `resume` names no run that can be gone on with.
        PhaseNotReady: The next revision belongs to a sequence, and its time has not come.
        ProjectError: The project cannot be read, or has several heads and none was chosen.
    """
    progress("reading the project and its database")
    seen = edits.with_edits(session, session.project.describe())
    rest = resuming.rest(session, seen, resume, kind="upgrade") if resume else None
    route = routes.up(session, seen, rest.plan.to_revision if rest else revision, branch)
    passed = graph.passed(seen, route)
    progress(f"reading what {_counted(passed)} would do")
    waiting, traces, stage = staging.staged(session, passed)
    route = route if waiting == passed else routes.up(session, seen, waiting[-1].id, None)
    traces = rest.of(traces) if rest else traces
    # That there are several heads is no matter to an upgrade that names where it goes.
    flaws = tuple(f for f in seen.flaws if f.kind != "several heads")
    start = ",".join(seen.database.current)
    whole = replace(seen, flaws=flaws)
    draft = drafted(session, whole, waiting, traces, start=start, route=route)
    draft = rest.on(draft) if rest else resuming.warned(session, seen, draft)
    # What is rehearsed are the bytes that are planned: they are read once, for both.
    files = session.project.files()
    draft = tried(session, seen, staging.said(draft, stage), upgrading(traces), files, progress)
    plan = make_plan(session, seen, draft, files)
    return replace(
        result(seen, plan, draft.references),
        warnings=(*plan.warnings, *holes(unjudged(seen.interceptions))),
        plan_id=plan.plan_id,
        next_step=next_step(plan.plan_id, draft.findings),
    )


def _counted(revisions: tuple[Revision, ...]) -> str:
    return f"{len(revisions)} revision{'' if len(revisions) == 1 else 's'}"


@loads_once
def review_files(
    session: Session,
    *,
    revision: str | None = None,
    every: bool = False,
    static: bool = False,
    progress: Callable[[str], None] = silent,
) -> tuple[ReviewResult, ...]:
    """Review without making a plan: what waits, one revision, or every one by itself.

    Args:
        session: The project, the store and the caller.
        revision: One revision, applied or not; default: everything that waits, as one, but each
            phase of a sequence by itself.
        every: Each revision of the project, base first.
        static: Ask no database: no counts, no SQL.
        progress: Is told what is being done.

    Returns:
        A review each; when nothing waits, one that says so. Revision files that do not load, and
        what is wrong with their graph, are findings.

    Raises:
        UnknownRevision: There is no such revision.
        ProjectError: The project cannot be read.
    """
    progress("reading the project and its database")
    seen = edits.with_edits(session, session.project.describe(static=static, lenient=True))
    if every:
        chosen = tuple((r,) for r in seen.revisions)
    elif revision:
        chosen = ((graph.find(seen, revision),),)
    elif flaws := graph.unknown(seen):
        return (_nothing(session, seen, flaws),)
    else:
        chosen = (graph.pending(seen),)
        if not chosen[0]:
            return (_nothing(session, seen, seen.flaws),)
    read = tuple(r for one in chosen for r in one)
    progress(f"reading what {_counted(read)} would do")
    traces = session.project.trace([r.id for r in read], static=static, lenient=True)
    known = {t.revision: t for t in traces}
    # Alembic renders nothing, and runs no env.py, over files that it cannot load.
    ask = not (every or static or graph.is_broken(seen))
    if not (every or revision):
        chosen = staging.apart(chosen[0], traces)
    # What a later phase of a sequence meets is not there to be asked before the first one ran.
    drafts = (
        _read_only(session, seen, one, found, ask=ask and one is chosen[0], progress=progress)
        for one in chosen
        for found in [tuple(known[r.id] for r in one)]
    )
    return tuple(result(seen, freeze(session, seen, d, {}), d.references) for d in drafts)


def _nothing(session: Session, seen: Description, flaws: tuple[Flaw, ...]) -> ReviewResult:
    """What CI reads when there is nothing to review: that alone is no failure."""
    at = graph.at(seen.database.current)
    scene = Scene(dialect=seen.database.identity.dialect, flaws=flaws)
    draft = Draft(
        kind="upgrade",
        to_revision=at,
        revisions=(),
        description="nothing waits",
        path="",
        changes=(),
        findings=rules.review(scene),
        facts=(),
        warnings=(),
        sql=None,
        rollback_command="",
    )
    said = f"Nothing was reviewed: the database is at {at}."
    said = said if flaws else f"Nothing waits: the database is at {at}."
    return replace(result(seen, freeze(session, seen, draft, {})), next_step=said)


def _read_only(
    session: Session,
    seen: Description,
    revisions: tuple[Revision, ...],
    traces: tuple[Trace, ...],
    *,
    ask: bool,
    progress: Callable[[str], None],
) -> Draft:
    # What is applied already has met its data: only what waits is held against it.
    done = graph.lineage(seen, seen.database.current)
    live = ask and not any(r.id in done for r in revisions)
    start = ",".join(revisions[0].down) if ask else None
    draft = drafted(session, seen, revisions, traces, start=start, live=live)
    if not live or graph.pending(seen, revisions[-1].id) != revisions:
        return draft
    return tried(session, seen, draft, upgrading(traces), session.project.files(), progress)


def drafted(
    session: Session,
    seen: Description,
    revisions: tuple[Revision, ...],
    traces: tuple[Trace, ...],
    *,
    start: str | None,
    route: Route | None = None,
    live: bool = True,
) -> Draft:
    """Read the traces, and render the SQL from `start` ("" is base; None renders none)."""
    read = read_traces(session, seen.database, traces, live=live, flaws=seen.flaws)
    last = revisions[-1]
    back = route.back if route else graph.only(seen.database.current)
    sql, tried = (None, ()) if start is None else _sql(session, start, last.id)
    reached = reaches_out((*seen.interceptions, *_tried(traces), *tried))
    return Draft(
        kind="upgrade",
        to_revision=last.id,
        revisions=tuple(r.id for r in revisions),
        description="; ".join(r.message for r in revisions),
        path=last.path,
        changes=tuple(checklist.describe(o) for o in read.operations),
        findings=(*reached, *edits.findings(seen, revisions, live=live), *read.findings),
        facts=read.facts,
        warnings=(
            *words.critical_warnings(read.findings, read.operations),
            *map(suppression.told, read.suppressed),
            *(() if live else (UNASKED,)),
        ),
        sql=sql,
        rollback_command=words.rollback_command(seen.flavour, back, bind=session.project.bind),
        pictures=pictures(session, read.operations) if live else (),
        affected=affected(read.operations),
        references=read.references,
        suppressed=read.suppressed,
        to_revisions=route.heads if route else None,
    )


def _sql(session: Session, start: str, to: str) -> tuple[str, tuple[Interception, ...]]:
    """The SQL, and what was kept from happening while it was rendered."""
    rendered = session.project.render(direction="upgrade", start=start or "base", to=to)
    return rendered.sql or f"-- not rendered: {rendered.reason}", rendered.interceptions


def _tried(traces: tuple[Trace, ...]) -> tuple[Interception, ...]:
    return tuple(i for t in traces for i in t.interceptions)


def read_traces(
    session: Session,
    database: Database,
    traces: tuple[Trace, ...],
    *,
    live: bool = True,
    flaws: tuple[Flaw, ...] = (),
) -> Reading:
    """Judge traces in order, each knowing what the earlier ones did; `live` asks the database."""
    operations = tuple(o for t in traces for o in t.upgrade)
    asked = questions(operations, database.identity.dialect) if live else ()
    facts = session.project.probe(asked) if asked else ()
    used = references(session, operations) if live else None
    findings: list[Finding] = []
    aside: list[Suppressed] = []
    earlier: tuple[Operation, ...] = ()
    for trace in traces:
        scene = scene_of(database, trace, earlier, facts, flaws)
        found = (told(f, used) for f in rules.review(scene))
        placed = found if len(traces) == 1 else (_placed(f, trace.revision) for f in found)
        kept, ignored = suppress(placed, trace.tree.ignores)
        findings += kept
        aside += ignored
        earlier += trace.upgrade
    return Reading(
        operations=operations,
        findings=tuple(findings),
        facts=facts,
        references=used,
        suppressed=tuple(aside),
    )


def _placed(finding: Finding, revision: str) -> Finding:
    return replace(finding, evidence=f"[{revision}] {finding.evidence}")


def result(seen: Description, plan: Plan, used: References | None = None) -> ReviewResult:
    """A plan as a review shows it, without anything to confirm."""
    return ReviewResult(
        project=plan.project,
        database=database_view(seen),
        revision=plan.to_revision,
        path=plan.path,
        verdict=plan.verdict,
        risk=plan.risk,
        findings=plan.findings,
        facts=fact_views(plan.facts),
        rehearsal=view(plan.rehearsal),
        checklist=tuple(
            Check(item=i.label, passed=i.passed) for i in checklist.checklist(plan.findings)
        ),
        changes=plan.changes,
        warnings=plan.warnings,
        sql=shown_sql(plan.sql),
        approval_request=words.approval_request(plan),
        plan_id=None,
        next_step="This was a reading only: no plan was made and nothing can be applied from it.",
        references=reference_views(used),
        references_total=used.total if used else 0,
        because=risk.because(plan.findings, suppressed=len(plan.suppressed)),
        suppressed=plan.suppressed,
    )
