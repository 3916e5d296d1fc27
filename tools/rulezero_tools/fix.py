"""A revision that waits is rewritten so that its review is better; the old file is kept."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rulezero_policies import rules
from rulezero_policies.errors import NotADraft
from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Operation
from rulezero_policies.scene import questions
from rulezero_policies.suppression import suppress
from rulezero_policies.text import scrub, visible
from rulezero_tools import graph, trying
from rulezero_tools.fixed import FixResult, FixReview, Mending
from rulezero_tools.mending import Means, Mended, Told, Version, mend
from rulezero_tools.planning import record
from rulezero_tools.ports import Session, silent
from rulezero_tools.records import Description, ModelDefault, Revision
from rulezero_tools.results import ReviewResult
from rulezero_tools.review import review
from rulezero_tools.scenes import scene_of
from rulezero_tools.shorten import SHOWN

DIFF_SHOWN = 4000
"""Characters of a diff in a result; the file has all of it."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One revision that is to be rewritten: what is there, and what is to be."""

    seen: Description
    revision: Revision
    waiting: tuple[Revision, ...]
    files: Mapping[str, bytes]
    mended: Mended

    @property
    def before(self) -> bytes:
        """The file as it was read."""
        return self.files[self.revision.path]

    @property
    def after(self) -> bytes:
        """The file as it is to be."""
        return self.mended.version.text.encode()


def fix(
    session: Session,
    *,
    revision: str,
    findings: Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[str], None] = silent,
) -> FixResult:
    """Cure what the review finds in a revision, where there is a recipe; apply nothing.

    Args:
        session: The project, the store and the caller.
        revision: Which one; it must wait to be applied.
        findings: The rules whose findings are to be cured; none means all.
        dry_run: Show the diff, write nothing, rehearse nothing.
        progress: Is told what is being done.

    Raises:
        UnknownRevision: There is no such revision.
        NotADraft: It is applied, or ran, or its file is no plain file of the project.
        FilesMoved: The file was edited meanwhile.
        ProjectError: The project cannot be read.
    """
    with session.project.reading():
        progress("reading the project and its database")
        job = _job(session, revision, findings, dry_run=dry_run, progress=progress)
    if job.after == job.before or dry_run:
        return _result(job, status="unchanged" if job.after == job.before else "shown")
    kept = session.project.rewrite(job.revision.path, before=job.before, after=job.after)
    names = ", ".join(dict.fromkeys(t.rule for t in job.mended.cured))
    record(session, "fixed", None, f"{job.revision.id} in {job.revision.path}: {names}")
    return _result(
        job,
        status="rewritten",
        kept=kept,
        reviewed=review(session, revision=job.revision.id, progress=progress),
    )


def _job(
    session: Session,
    name: str,
    only: Sequence[str],
    *,
    dry_run: bool,
    progress: Callable[[str], None],
) -> Job:
    seen = session.project.describe()
    found = graph.find(seen, name)
    _check_draft(session, seen, found)
    waiting = graph.pending(seen, found.id)
    traces = session.project.trace([r.id for r in waiting])
    files = session.project.files()
    read = _Reader(session, seen, found, tuple(o for t in traces[:-1] for o in t.upgrade))
    start = read(_text(found, files[found.path]))
    progress("writing it anew")
    means = Means(read=read, defaults=read.defaults, alembic=_numbers(seen.alembic))
    job = Job(
        seen=seen,
        revision=found,
        waiting=waiting,
        files=files,
        mended=_asked(mend(start, means, only), start, only),
    )
    if dry_run or job.after == job.before:
        return job
    return trying.tried_again(
        session, job, lambda without: mend(start, replace(means, without=without), only), progress
    )


def _text(revision: Revision, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotADraft(revision=revision.id, reason="its file is not UTF-8") from error


def _numbers(version: str) -> tuple[int, ...] | None:
    parts = version.split(".")[:2]
    return tuple(map(int, parts)) if all(p.isdigit() for p in parts) else None


def _asked(mended: Mended, start: Version, only: Sequence[str]) -> Mended:
    """What was asked for and not found is said, too."""
    known = {f.rule for f in start.findings}
    missing = tuple(
        Told(rule=visible(rule, limit=80), subject="", said="the review finds nothing of the kind")
        for rule in dict.fromkeys(only)
        if rule not in known
    )
    return replace(mended, not_cured=(*mended.not_cured, *missing))


def _check_draft(session: Session, seen: Description, found: Revision) -> None:
    """Refuse what is applied, or was run by a plan and may be there."""
    if found.id in graph.lineage(seen, seen.database.current):
        raise NotADraft(revision=found.id, reason="it is applied in this database")
    last: dict[str, str] = {}
    for plan in reversed(session.store.plans(session.project.name)):
        run = session.store.run(plan.plan_id) if found.id in plan.revisions else None
        if run is not None:
            undone = plan.kind == "downgrade" and run.status == "applied"
            ending = "nothing happened" if undone else run.ending or run.status
            last[plan.database.label] = ending
    for place, ending in last.items():
        if ending not in {"nothing happened", "rolled back whole", "failed"}:
            reason = f"a plan of it ran on {place} ({ending})"
            raise NotADraft(revision=found.id, reason=reason)


class _Reader:
    """What a text of the revision does, and what the rules say of it."""

    def __init__(
        self,
        session: Session,
        seen: Description,
        revision: Revision,
        earlier: tuple[Operation, ...],
    ) -> None:
        self._session = session
        self._seen = seen
        self._revision = revision
        self._earlier = earlier
        self._facts: dict[Question, Fact] = {}
        self._defaults: tuple[ModelDefault, ...] | None = None

    def __call__(self, text: str) -> Version:
        """Read it as the file would be read if `text` stood in it."""
        revision, database = self._revision.id, self._seen.database
        (trace,) = self._session.project.trace([revision], drafts={revision: text})
        facts = self._asked((*self._earlier, *trace.upgrade))
        scene = scene_of(database, trace, self._earlier, facts, self._seen.flaws)
        findings, _ = suppress(rules.review(scene), trace.tree.ignores)
        return Version(text=text, scene=scene, findings=findings)

    def _asked(self, operations: tuple[Operation, ...]) -> tuple[Fact, ...]:
        asked = questions(operations, self._seen.database.identity.dialect)
        new = tuple(q for q in asked if q not in self._facts)
        found = self._session.project.probe(new) if new else ()
        self._facts |= {fact.asked: fact for fact in found}
        return tuple(self._facts[q] for q in asked if q in self._facts)

    def defaults(self) -> Mapping[tuple[str, str], str]:
        """What the models give; asked once, when a recipe wants it."""
        if self._defaults is None:
            self._defaults = self._session.project.defaults()
        return {(d.table, d.column): d.source for d in self._defaults}


def _result(
    job: Job, *, status: str, kept: str | None = None, reviewed: ReviewResult | None = None
) -> FixResult:
    mended = job.mended
    return FixResult(
        status=status,  # type: ignore[arg-type]
        revision=job.revision.id,
        path=job.revision.path,
        kept=kept,
        diff=_diff(job),
        cured=_told(mended.cured),
        not_cured=_told(mended.not_cured),
        review=None if reviewed is None else _review(reviewed),
        next_step=_next(job, status, reviewed),
    )


def _told(what: tuple[Told, ...]) -> tuple[Mending, ...]:
    return tuple(
        Mending(rule=t.rule, subject=t.subject, what=visible(scrub(t.said), limit=800))
        for t in what[:SHOWN]
    )


def _review(found: ReviewResult) -> FixReview:
    return FixReview(
        verdict=found.verdict,
        risk=found.risk,
        findings=found.findings[:SHOWN],
        because=found.because,
        rehearsed=found.rehearsal.ran,
        plan_id=found.plan_id,
    )


def _diff(job: Job) -> str:
    """The change as a unified diff, its beginning where it is long."""
    old, new = (data.decode().splitlines() for data in (job.before, job.after))
    name = job.revision.path
    text = "\n".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""))
    shown = scrub(text)
    if len(shown) <= DIFF_SHOWN:
        return shown
    return f"{shown[:DIFF_SHOWN]}\n… {len(shown) - DIFF_SHOWN} more characters: read {name}"


def _next(job: Job, status: str, reviewed: ReviewResult | None) -> str:
    name = job.revision.id
    if status == "unchanged":
        return (
            "Nothing was written. Show the person why each finding stays; the file can be edited "
            f"by hand. Then call `review` with revision {name}."
        )
    if status == "shown" or reviewed is None:
        return "Nothing was written. Show the diff; without `dry_run` it is written and reviewed."
    stays = (
        "What the review still finds `fix` cannot cure: put it to the person, who may have the "
        "file edited by hand. To go on as it is, "
        if reviewed.findings
        else "To go on, "
    )
    return (
        f"Show the diff. Nothing was applied, and an earlier plan of {name} holds no longer. "
        f"{stays}call `confirm` with plan_id {reviewed.plan_id}: a person is asked. You cannot "
        "approve it."
    )
