"""What is asked once a run is over: which rows stopped it, and what the models still want."""

from collections.abc import Sequence
from dataclasses import dataclass

from rulezero_policies import checklist
from rulezero_policies.causes import Cause
from rulezero_policies.errors import ProjectError
from rulezero_policies.plan import Plan
from rulezero_policies.text import scrub, visible
from rulezero_tools import graph
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Run, RunReport, Sent

MOST = 20
"""Differences that are named one by one."""

LONGEST = 400
"""Characters of a statement that a cause keeps."""


@dataclass(frozen=True, kw_only=True)
class Differing:
    """What models and database differ in; None, with a reason, where it could not be told."""

    lines: tuple[str, ...] | None = None
    unasked: str | None = None


def differing(session: Session, plan: Plan, seen: Description) -> Differing:
    """What autogenerate would still write, asked where an upgrade has led to the last revision.

    Before the last revision the models are ahead, and after a downgrade they are meant to be.
    """
    arrived = graph.at(seen.database.current) == plan.to_revision == graph.at(seen.heads)
    if plan.kind != "upgrade" or not arrived:
        return Differing()
    try:
        operations = session.project.diff().operations
    except ProjectError as error:
        return Differing(unasked=scrub(f"{error.code}: {error}"))
    changes = map(checklist.describe, operations)
    return Differing(lines=tuple(visible(f"{c.subject}: {c.description}") for c in changes))


def remaining(run: Run) -> str:
    """What models and database still differ in, in a sentence; empty where nothing does."""
    if run.unasked:
        return f"Whether models and database still differ could not be told: {run.unasked}"
    lines = run.remaining or ()
    if not lines:
        return ""
    many = f"{len(lines)} difference{'' if len(lines) == 1 else 's'}"
    verb = "remains" if len(lines) == 1 else "remain"
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return f"{many} between models and database {verb}: {'; '.join(lines[:MOST])}{more}."


def cause(session: Session, report: RunReport, sent: Sequence[Sent]) -> Cause | None:
    """What stopped the run, with the rows in the way; None where it did not say."""
    stopped = report.stopped
    if stopped is None:
        return None
    failed = next((s for s in reversed(sent) if s.failed), None) if stopped.statement else None
    text = failed.text if failed else stopped.statement
    return Cause(
        kind=stopped.kind,
        error=stopped.error,
        statement=visible(" ".join(text.split()), limit=LONGEST) or None,
        revision=failed.revision if failed else None,
        place=failed.place if failed else None,
        table=stopped.hit.table,
        constraint=stopped.hit.constraint,
        rows=session.runs.in_the_way(report),
    )
