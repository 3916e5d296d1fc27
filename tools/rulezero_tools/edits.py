"""What was applied here by a plan and reads otherwise now."""

from collections.abc import Iterator
from dataclasses import replace

from rulezero_policies import rules
from rulezero_policies.edited import Applied, edited
from rulezero_policies.findings import Finding
from rulezero_policies.plan import Plan
from rulezero_policies.scene import Scene
from rulezero_tools import graph
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Revision, Run


def with_edits(session: Session, seen: Description) -> Description:
    """What was seen, and as flaws the applied revisions whose files were edited afterwards."""
    applied = tuple(_applied(session, seen))
    found = edited(applied, session.project.files()) if applied else ()
    return replace(seen, flaws=(*seen.flaws, *found))


def findings(seen: Description, under: tuple[Revision, ...], *, live: bool) -> tuple[Finding, ...]:
    """What is said of edited revisions besides those under review, where they are to follow."""
    named = {r.id for r in under}
    others = (f for f in seen.flaws if f.kind == "edited" and f.revision not in named)
    flaws = tuple(others) if live else ()
    return rules.review(Scene(dialect=seen.database.identity.dialect, flaws=flaws))


def _applied(session: Session, seen: Description) -> Iterator[Applied]:
    """The revisions that stand applied, as the last plan of this database that ran them did it."""
    last: dict[str, tuple[Plan, Run]] = {}
    for plan, run in runs(session, seen):
        for revision in plan.revisions:
            last.pop(revision, None)
            if plan.kind == "upgrade" and run.status == "applied":
                last[revision] = (plan, run)
    done = graph.lineage(seen, seen.database.current)
    paths = {r.id: r.path for r in seen.revisions if r.id in done}
    for revision, (plan, run) in last.items():
        file = next((f for f in plan.files if f.path == paths.get(revision)), None)
        if file is not None:
            data = session.store.sealed((file,))[file.path]
            at = run.finished or run.started
            yield Applied(revision=revision, path=file.path, data=data, plan_id=plan.plan_id, at=at)


def runs(session: Session, seen: Description) -> list[tuple[Plan, Run]]:
    """The plans that ran on this database, the first first."""
    plans = session.store.plans(session.project.name)
    mine = (p for p in reversed(plans) if p.database == seen.database.identity)
    ran = ((p, run) for p in mine if (run := session.store.run(p.plan_id)))
    return sorted(ran, key=lambda one: one[1].started)
