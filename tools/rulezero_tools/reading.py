"""Reading back what was planned and what happened."""

from collections.abc import Iterator

from rulezero_policies.audit import Entry, what_is_wrong
from rulezero_policies.backup import made_line
from rulezero_policies.findings import Finding
from rulezero_policies.plan import Plan
from rulezero_tools import gate, graph, recovering, rehearse
from rulezero_tools.asking import question_text
from rulezero_tools.ports import Session, Store
from rulezero_tools.records import Run
from rulezero_tools.results import PlanSection, Section
from rulezero_tools.views import HistoryEntry, HistoryResult

PAGE = 6000
"""Characters on a page."""


def get_plan(
    session: Session, *, plan_id: str, section: Section = "summary", page: int = 1
) -> PlanSection:
    """One section of a plan, a page at a time.

    Raises:
        UnknownPlan: There is no such plan in this project.
    """
    plan = gate.find_plan(session, plan_id, step="get_plan")
    text = _section(plan, section, _run_of(session, plan, section))
    pages = max(1, -(-len(text) // PAGE))
    page = min(max(page, 1), pages)
    return PlanSection(
        plan_id=plan_id,
        section=section,
        page=page,
        pages=pages,
        text=text[(page - 1) * PAGE : page * PAGE],
    )


def _section(plan: Plan, section: Section, run: Run | None) -> str:
    texts: dict[Section, str] = {
        "summary": _summary(plan, run),
        "sql": plan.sql or "-- no SQL",
        "findings": "\n".join(map(_finding, plan.findings)) or "No findings.",
        "changes": "\n".join(f"{c.subject}: {c.description}" for c in plan.changes),
        "files": "\n".join(f"{f.sha256}  {f.path}" for f in plan.files),
        "approval_request": question_text(plan),
        "rehearsal": rehearse.text(plan.rehearsal),
        "run": _run(run),
    }
    return texts[section]


def _finding(finding: Finding) -> str:
    return (
        f"{finding.severity} {finding.rule} {finding.subject} (line {finding.line or '?'}): "
        f"{finding.evidence} Fix: {finding.fix}"
    )


def _summary(plan: Plan, run: Run | None) -> str:
    return "\n".join(
        [
            f"{plan.kind} of {plan.project} ({plan.environment})",
            f"database: {plan.place}",
            f"from {graph.at(plan.from_revisions)} to {plan.to_revision}",
            f"revisions: {', '.join(plan.revisions) or 'none'}",
            f"verdict {plan.verdict}, risk {plan.risk}, {len(plan.findings)} findings",
            f"expires {plan.expires:%Y-%m-%d %H:%M} UTC",
            f"digest {plan.digest}",
            f"rollback: {plan.rollback_command}",
            f"state: {run.status if run else 'not run'}",
        ]
    )


def _run_of(session: Session, plan: Plan, section: Section) -> Run | None:
    run = session.store.run(plan.plan_id)
    # Only who asks for the run waits for what is found out about it.
    if run is None or run.settled or section != "run":
        return run
    return recovering.current(session, plan, run)


def _run(run: Run | None) -> str:
    if run is None:
        return "This plan was not run."
    running = run.status == "running"
    lines = [f"{run.status}: {recovering.so_far(run) if running else run.outcome}"]
    lines += [f"backup: {made_line(run.backup)}"] if run.backup else []
    lines += [f"to resume: {step}" for step in run.resume]
    lines += [f"to undo: {step}" for step in run.undo]
    return "\n".join([*lines, *_statements(run)])


def _statements(run: Run) -> Iterator[str]:
    if run.report is None:
        return
    for number, text in enumerate(run.report.statements, start=1):
        one = run.report.sent[number - 1] if run.report.sent else None
        yield f"{number}. {text}{f' ({one.landed}; {one.place})' if one else ''}"


def history(session: Session, *, limit: int = 20, expect: str | None = None) -> HistoryResult:
    """The newest `limit` entries of this project's audit trail, oldest first.

    Args:
        session: The project, the store and the caller.
        limit: How many entries.
        expect: The hash of a head that was noted earlier and must still be part of the trail.
    """
    entries = session.store.entries(project=session.project.name, limit=limit)
    trail, head = _whole_trail(session.store)
    return HistoryResult(
        entries=tuple(
            HistoryEntry(
                sequence=e.sequence,
                at=f"{e.at:%Y-%m-%d %H:%M:%S} UTC",
                event=e.event,
                plan_id=e.plan_id,
                principal=e.principal,
                detail=e.detail,
            )
            for e in entries
        ),
        chain=what_is_wrong(trail, head=head, expect=expect) or "whole",
        length=len(trail),
        head=head[1],
        next_step="Call `get_plan` with a plan_id for what a plan said.",
    )


def _whole_trail(store: Store) -> tuple[tuple[Entry, ...], tuple[int, str]]:
    """All entries with the head that belongs to them, also while others append."""
    head = store.head()
    for _ in range(5):
        before, entries, head = head, store.entries(), store.head()
        if before == head:
            return entries, head
    return store.entries()[: head[0]], head
