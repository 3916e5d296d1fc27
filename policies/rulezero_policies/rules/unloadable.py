"""A revision file that Python does not load."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import AS_WRITTEN, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for flaw in scene.flaws:
        if flaw.kind in {"syntax", "unreadable"}:
            yield Hit(
                subject=f"revision {flaw.revision}",
                evidence=f"the file does not load: {flaw.detail}",
                line=flaw.line,
                # What is missing or refused here may be there where it is to run.
                outcome="will_fail" if flaw.kind == "syntax" else "unknown",
            )


RULE = Rule(
    id="unloadable",
    severity="CRITICAL",
    outcome="will_fail",
    title="A revision file does not load",
    why="Alembic loads every revision file before it does anything: one that does not load stops "
    "every command, and nothing is known of what it would do.",
    fix="Correct {subject}; what a revision imports from the application is better copied into it.",
    bad=revision("op.drop_table('events'", "pass"),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    check=_check,
    stages=AS_WRITTEN,
    source="run with Alembic 1.20",
)
