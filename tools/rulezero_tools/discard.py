"""Plan to remove a revision file that was never applied; a person decides, the executor does it."""

from rulezero_policies import words
from rulezero_policies.errors import DiscardRefused
from rulezero_policies.plan import PlannedChange, hashes
from rulezero_policies.text import visible
from rulezero_tools import graph
from rulezero_tools.planning import Draft, make_plan, refused
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Description, Revision
from rulezero_tools.removals import DiscardResult

_KEPT = (
    "The file's bytes are kept below `discarded` in rulezero's state folder; `apply` says where. "
    "To bring it back, copy that to where it was."
)


@loads_once
def discard(session: Session, *, revision: str) -> DiscardResult:
    """Plan to remove the file of `revision`.

    Raises:
        UnknownRevision: There is no such revision.
        DiscardRefused: It is applied, was run, or another revision follows it.
        ProjectError: The project cannot be read.
    """
    seen = session.project.describe()
    graph.check_current(seen)
    found = graph.find(seen, revision)
    reason = _reason(session, seen, found)
    files = session.project.files()
    if reason is None and found.path not in files:
        reason = "its file is not among the project's migrations", "Remove it by hand."
    if reason is not None:
        why, mend = reason
        error = DiscardRefused(revision=visible(found.id), reason=why, mend=mend)
        raise refused(session, None, error)
    sha256 = next(f.sha256 for f in hashes(files) if f.path == found.path)
    plan = make_plan(session, seen, _draft(found, sha256), files)
    return DiscardResult(
        plan_id=plan.plan_id,
        revision=found.id,
        path=found.path,
        sha256=sha256,
        warnings=plan.warnings,
        approval_request=words.approval_request(plan),
        next_step=f"Nothing was removed. Show this to the person, then call `confirm` with plan_id "
        f"{plan.plan_id}; with the token, `apply`.",
    )


def _reason(session: Session, seen: Description, found: Revision) -> tuple[str, str] | None:
    """Why it has to stay, and what to do instead; None where it may go."""
    if found.id in graph.lineage(seen, seen.database.current):
        return "it is applied in this database", "Plan a `rollback` to before it first."
    following = [r.id for r in seen.revisions if _needs(r, found)]
    if following:
        names = ", ".join(map(visible, following[:5]))
        return f"revisions follow or need it: {names}", "Discard those first."
    for plan in session.store.plans(session.project.name):
        if found.id in plan.revisions and session.store.run(plan.plan_id) is not None:
            told = f"{plan.plan_id} ran it in environment {visible(plan.environment)}"
            return told, "A database may know it: keep the file, and undo it by a new revision."
    return None


def _needs(other: Revision, found: Revision) -> bool:
    return found.id in {*other.down, *other.depends_on}


def _draft(found: Revision, sha256: str) -> Draft:
    return Draft(
        kind="discard",
        to_revision=found.id,
        revisions=(),
        description=f"remove the revision file of {found.message or found.id}",
        path=found.path,
        changes=(PlannedChange(subject=found.path, description="removed; its bytes are kept"),),
        findings=(),
        facts=(),
        warnings=(
            f"{_KEPT} Its SHA-256 is {sha256}.",
            "Whether a database other than this one knows the revision was not asked.",
        ),
        sql=None,
        rollback_command="copy the kept file back to where it was",
    )
