"""What was mended is rehearsed before it is written: a rehearsal sees what no rule can read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rulezero_policies.findings import Finding
from rulezero_policies.rehearsal_rules import REHEARSAL_RULES
from rulezero_policies.text import visible
from rulezero_tools.mending import Mended, Told
from rulezero_tools.planning import Draft
from rulezero_tools.recipes import RECIPES
from rulezero_tools.rehearse import tried, upgrading
from rulezero_tools.review import drafted

if TYPE_CHECKING:
    from rulezero_tools.fix import Job
    from rulezero_tools.ports import Session

_SHOWN = frozenset(rule.id for rule in REHEARSAL_RULES)

_BACK = frozenset(
    {"downgrade-fails", "downgrade-differs", "downgrade-loses-data", "not-repeatable"}
)

Again = Callable[[dict[str, str]], Mended]
"""Mend once more, and leave these rules alone, each with why."""


def tried_again(
    session: "Session", job: "Job", again: Again, progress: Callable[[str], None]
) -> "Job":
    """`job` as it comes out of a rehearsal: as it is, with fewer recipes, or with none.

    Args:
        session: The project, the store and the caller.
        job: What is to be written.
        again: Mends once more with fewer recipes.
        progress: Is told what is being done.
    """
    if session.rehearser is None:
        return job
    brought = _brought(session, job, progress)
    if not brought:
        return job
    declaring = {rule: _undeclared(brought) for r in RECIPES if r.declares for rule in r.rules}
    if any(t.rule in declaring for t in job.mended.cured):
        less = replace(job, mended=again(declaring))
        if less.after == less.before or not _brought(session, less, progress):
            return less
    return _given_up(job, again, brought)


def _undeclared(brought: Sequence[Finding]) -> str:
    return (
        f"the models do not say so, and would differ from the database ({_words(brought)}): say it "
        "in the models, then generate the revision anew"
    )


def _words(brought: Sequence[Finding]) -> str:
    return "; ".join(f"{f.rule}: {visible(f.evidence, limit=150)}" for f in brought[:2])


def _given_up(job: "Job", again: Again, brought: Sequence[Finding]) -> "Job":
    """Nothing is taken of what a rehearsal shows to be worse."""
    why = f"in the rehearsal it brought {_words(brought)}; it was not written"
    cured = dict.fromkeys((t.rule, t.subject) for t in job.mended.cured)
    left = again({rule: why for rule, _ in cured})
    told = tuple(Told(rule=r, subject=s, said=why) for r, s in cured)
    known = {(t.rule, t.subject) for t in told}
    others = (t for t in left.not_cured if (t.rule, t.subject) not in known)
    version = replace(left.version, text=job.before.decode())
    return replace(job, mended=Mended(version=version, not_cured=(*told, *others)))


def _brought(
    session: "Session", job: "Job", progress: Callable[[str], None]
) -> tuple[Finding, ...]:
    """What the rehearsal of the new text shows that the old one's does not."""
    new = _tried(session, job, job.mended.version.text, progress)
    shown = tuple(f for f in new.findings if f.rule in _SHOWN)
    if not shown:
        return ()
    before = _tried(session, job, None, progress)
    known = {f.rule for f in before.findings} | _not_reached(before)
    return tuple(f for f in shown if f.rule not in known)


def _not_reached(draft: Draft) -> frozenset[str]:
    """What the rehearsal could not come to: that it shows now is no fault of a fix."""
    if draft.rehearsal is None or draft.rehearsal.upgrade != "ok":
        return _SHOWN - {"upgrade-fails"}
    return frozenset() if draft.rehearsal.downgrade == "ok" else _BACK


def _tried(
    session: "Session", job: "Job", text: str | None, progress: Callable[[str], None]
) -> Draft:
    """What a whole review says of a text, rehearsal included; None is the file as it is."""
    name = job.revision.id
    drafts = None if text is None else {name: text}
    traces = session.project.trace([r.id for r in job.waiting], drafts=drafts)
    draft = drafted(session, job.seen, job.waiting, traces, start=None)
    files: Mapping[str, bytes] = job.files
    if text is not None:
        files = {**files, job.revision.path: text.encode()}
    return tried(session, job.seen, draft, upgrading(traces), files, progress)
