"""Read what waits to run as it really runs, judge it, and freeze it into a plan."""

from dataclasses import dataclass, replace

from rulezero_policies import checklist, risk, rules, words
from rulezero_policies.errors import NothingPending
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.scene import Scene, questions
from rulezero_tools import graph
from rulezero_tools.planning import Draft, database_view, fact_views, holes, make_plan
from rulezero_tools.ports import Description, Revision, Session, Trace
from rulezero_tools.results import Check, Rehearsal, ReviewResult

SQL_SHOWN = 1500
"""Characters of SQL in a result; all of it is in `get_plan`."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the revisions of a plan do, and what the rules say of it."""

    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]


def review(session: Session, *, revision: str | None = None) -> ReviewResult:
    """Review everything an upgrade to `revision` (default: the head) would run.

    Raises:
        NothingPending: The database is there already.
        ProjectError: The project cannot be read, or has several heads.
    """
    seen = session.project.describe()
    graph.check_current(seen)
    target = graph.find(seen, revision).id if revision else graph.only_head(seen)
    waiting = graph.pending(seen, target)
    if not waiting:
        raise NothingPending(current=graph.at(seen.database.current))
    draft = _draft(session, seen, waiting)
    plan = make_plan(session, seen, draft)
    return replace(
        result(session, seen, draft),
        approval_request=words.approval_request(plan),
        plan_id=plan.plan_id,
        next_step=_next(plan.plan_id, draft.findings),
    )


def review_only(session: Session, *, revision: str) -> ReviewResult:
    """Review one revision wherever the database stands; no plan is made, nothing can be applied.

    Raises:
        UnknownRevision: There is no such revision.
        ProjectError: The project cannot be read.
    """
    seen = session.project.describe()
    draft = _draft(session, seen, (graph.find(seen, revision),))
    return result(session, seen, draft)


def _draft(session: Session, seen: Description, waiting: tuple[Revision, ...]) -> Draft:
    traces = session.project.trace([r.id for r in waiting])
    dialect = seen.database.identity.dialect
    read = read_traces(session, dialect, traces)
    start = waiting[0].down[0] if waiting[0].down else "base"
    rendered = session.project.render(direction="upgrade", start=start, to=waiting[-1].id)
    back_to = seen.database.current[0] if len(seen.database.current) == 1 else None
    return Draft(
        kind="upgrade",
        to_revision=waiting[-1].id,
        revisions=tuple(r.id for r in waiting),
        description="; ".join(r.message for r in waiting),
        path=waiting[-1].path,
        changes=tuple(checklist.describe(o) for o in read.operations),
        findings=read.findings,
        facts=read.facts,
        warnings=words.critical_warnings(read.findings, read.operations),
        sql=rendered.sql or f"-- not rendered: {rendered.reason}",
        rollback_command=words.rollback_command(seen.flavour, back_to),
    )


def read_traces(session: Session, dialect: str, traces: tuple[Trace, ...]) -> Reading:
    """Judge traces in order, each knowing what the earlier ones did."""
    operations = tuple(o for t in traces for o in t.upgrade)
    asked = questions(operations)
    facts = session.project.probe(asked) if asked else ()
    findings: list[Finding] = []
    earlier: tuple[Operation, ...] = ()
    for trace in traces:
        found = rules.review(scene_of(dialect, trace, earlier, facts))
        findings += found if len(traces) == 1 else [_placed(f, trace.revision) for f in found]
        earlier += trace.upgrade
    return Reading(operations=operations, findings=tuple(findings), facts=facts)


def scene_of(
    dialect: str, trace: Trace, earlier: tuple[Operation, ...], facts: tuple[Fact, ...]
) -> Scene:
    """A trace as the rules look at it."""
    return Scene(
        dialect=dialect,
        stage="revision",
        revision=trace.revision,
        upgrade=trace.upgrade,
        downgrade=trace.downgrade,
        earlier=earlier,
        upgrade_error=trace.upgrade_error,
        downgrade_error=trace.downgrade_error,
        has_upgrade=trace.tree.has_upgrade,
        has_downgrade=trace.tree.has_downgrade,
        downgrade_is_empty=trace.tree.downgrade_is_empty,
        downgrade_line=trace.tree.downgrade_line,
        app_imports=trace.tree.app_imports,
        facts=facts,
    )


def _placed(finding: Finding, revision: str) -> Finding:
    return replace(finding, evidence=f"[{revision}] {finding.evidence}")


def result(session: Session, seen: Description, draft: Draft) -> ReviewResult:
    """The review without a plan: what was found, and what to do about it."""
    findings = draft.findings
    return ReviewResult(
        project=session.project.name,
        database=database_view(seen),
        revision=draft.to_revision,
        path=draft.path,
        verdict=risk.verdict(findings),
        risk=risk.risk(findings),
        findings=findings,
        facts=fact_views(draft.facts),
        rehearsal=Rehearsal(ran=False),
        checklist=tuple(
            Check(item=i.label, passed=i.passed) for i in checklist.checklist(findings)
        ),
        changes=draft.changes,
        warnings=(*draft.warnings, *holes(seen.interceptions)),
        sql=shown_sql(draft.sql),
        approval_request="",
        plan_id=None,
        next_step="This was a reading only: no plan was made and nothing can be applied from it.",
    )


def shown_sql(sql: str | None) -> str | None:
    """The beginning of the SQL, and where the rest is."""
    if sql is None or len(sql) <= SQL_SHOWN:
        return sql
    return (
        f"{sql[:SQL_SHOWN]}\n-- … {len(sql) - SQL_SHOWN} more characters: `get_plan`, section sql"
    )


def _next(plan_id: str, findings: tuple[Finding, ...]) -> str:
    call = f"call `confirm` with plan_id {plan_id}: a person is asked. You cannot approve it."
    if not findings:
        return f"Show the approval request to the person, then {call}"
    return (
        f"{words.needs_changes_question(findings)} Put that to the person. To change the revision, "
        f"edit the file and call `review` again. To go on as it is, {call}"
    )
