"""A table and its rows are deleted."""

from collections.abc import Iterator

from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.rules.archived import archive_of, put_back
from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("drop_table"):
        kept = _kept(scene, step)
        told = f"the table is dropped{kept}"
        filled = _DESIGN if kept else None
        yield by_rows(scene, step, told, empty=("WARNING", "design"), filled=filled)


_DESIGN: tuple[Severity, Outcome] = ("CRITICAL", "design")


def _kept(scene: Scene, step: Step) -> str:
    """Where its rows are, in words; nothing where they go with it."""
    archive = archive_of(scene, step)
    if archive is not None:
        return f"; all of its rows are archived in {archive} before"
    return (
        "; it is an archive, and what it holds is put back before" if put_back(scene, step) else ""
    )


RULE = Rule(
    id="drop-table",
    severity="CRITICAL",
    outcome="loses_data",
    title="A table is dropped",
    why="Its rows are gone at once; a downgrade can bring back the table, never its rows. Code "
    "that still uses the table breaks. Models that env.py does not import look like this, too.",
    fix="Back up first. Check that env.py imports every model. Stop using {subject}, deploy that, "
    "and drop the table in a later revision.",
    bad=revision(
        "op.drop_table('audit_log')",
        "op.create_table('audit_log', sa.Column('id', sa.Integer(), nullable=False), "
        "sa.PrimaryKeyConstraint('id'))",
    ),
    good=revision(
        "op.create_table_comment('audit_log', 'no longer written', existing_comment=None)",
        "op.drop_table_comment('audit_log', existing_comment='no longer written')",
    ),
    check=_check,
)
