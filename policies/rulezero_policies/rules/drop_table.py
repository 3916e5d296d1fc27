"""A table and its rows are deleted."""

from collections.abc import Iterator

from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("drop_table"):
        yield by_rows(scene, step, "the table is dropped", empty=("WARNING", "design"))


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
