"""The table that a failed batch block left behind."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.rules.facts import is_filled
from rulezero_policies.rules.recreated import recreated
from rulezero_policies.rules.rule import SQLITE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step in recreated(scene):
        asked = asks.leftover(step)
        if is_filled(scene.fact(asked)):
            yield Hit(
                subject=asked.table,
                evidence=f"{asked.table} is there already, left by a batch block that failed",
                line=step.operation.line,
            )


RULE = Rule(
    id="sqlite-leftover",
    severity="CRITICAL",
    outcome="will_fail",
    title="The table of a failed batch block is in the way",
    why="Batch mode copies into a table of that name, and cannot create it.",
    fix="See that no row is in it that is missing elsewhere, then drop it: "
    'op.execute("DROP TABLE {subject}") before the batch block.',
    bad=revision(
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(50), server_default='x')",
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(50), "
        "existing_server_default='x', server_default=None)",
    ),
    good=revision(
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.add_column(sa.Column('nick', sa.String(50), nullable=True))",
        "with op.batch_alter_table('users') as batch_op:\n    batch_op.drop_column('nick')",
    ),
    check=_check,
    dialect="sqlite",
    live={"exists": (1, ())},
    databases=SQLITE,
    source="run on SQLite 3.40 with Alembic 1.20",
)
