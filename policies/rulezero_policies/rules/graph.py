"""Revisions that do not make one chain from base to head."""

from collections.abc import Iterator

from rulezero_policies.findings import Outcome
from rulezero_policies.rules.rule import AS_WRITTEN, Hit, Rule, revision
from rulezero_policies.scene import Flaw, FlawKind, Scene

_SEEN: dict[FlawKind, tuple[str, Outcome, str]] = {
    "missing parent": (
        "down_revision or depends_on names {names}, which no revision file has",
        "will_fail",
        "bring back the file of {names}, or name the revision that this one follows",
    ),
    "cycle": (
        "these revisions follow each other in a circle: {names}",
        "will_fail",
        "let one of {names} follow a revision outside of the circle",
    ),
    "several heads": (
        "there are several heads: {names}; `upgrade head` refuses to choose",
        "will_fail",
        "merge them (alembic merge {words}), or give a branch that is meant a label",
    ),
    "duplicate": (
        "several files have this id, and only the last one that is read ever runs: {names}",
        "unknown",
        "give one of {names} an id of its own",
    ),
    "unknown revision": (
        "the database is at {revision}, which no revision file has; the files end at {names}",
        "will_fail",
        "bring back the file of {revision}: check out the branch that it is on",
    ),
    "edited": (
        "its file was edited after it was applied here ({names}); this database has what ran then",
        "design",
        "take the edit back, and bring the change in a new revision",
    ),
}


def _hit(flaw: Flaw) -> Hit:
    seen, outcome, mend = _SEEN[flaw.kind]
    words = {
        "revision": flaw.revision,
        "names": ", ".join(flaw.names) or "base",
        "words": " ".join(flaw.names),
    }
    hang = f"; what follows it ({flaw.after}) cannot be reached either" if flaw.after else ""
    return Hit(
        subject=f"revision {flaw.revision}",
        evidence=seen.format(**words) + (hang if outcome == "will_fail" else ""),
        line=flaw.line,
        severity="WARNING" if flaw.kind == "edited" else None,
        outcome=outcome,
        names={"mend": mend.format(**words)},
    )


def _check(scene: Scene) -> Iterator[Hit]:
    yield from (_hit(flaw) for flaw in scene.flaws if flaw.kind in _SEEN)


_CHAIN = revision("pass", "pass")

RULE = Rule(
    id="graph",
    severity="CRITICAL",
    outcome="will_fail",
    title="The revisions make no chain",
    why="Alembic walks from the revision at which the database is to the head. Where the way is "
    "broken, goes in a circle or ends twice, it refuses every upgrade; of two files with one id it "
    "runs one and forgets the other. A revision that was edited after it ran does not run "
    "again there: databases at the same revision differ.",
    fix="For {subject}: {mend}.",
    bad=_CHAIN.replace("down_revision = None", 'down_revision = "1a2b3c4d5e6f"'),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    check=_check,
    stages=AS_WRITTEN,
    source="https://alembic.sqlalchemy.org/en/latest/branches.html; run with Alembic 1.20",
)
