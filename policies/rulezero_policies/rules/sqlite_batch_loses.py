"""A batch block copies a table without all that stands on it."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.rules.facts import is_empty
from rulezero_policies.rules.recreated import recreated
from rulezero_policies.rules.rule import SQLITE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step in recreated(scene):
        fact = scene.fact(asks.of_table(step, "lost_on_recreate"))
        if fact is None or is_empty(fact):
            continue
        known = fact.count is not None
        what = ", ".join(fact.names) if known else "what is on it could not be asked"
        yield Hit(
            subject=step.operation.qualified,
            evidence=f"the batch block copies the table and does not carry over: {what}",
            line=step.operation.line,
            severity=None if known else "WARNING",
            outcome=None if known else "unknown",
        )


RULE = Rule(
    id="sqlite-batch-loses",
    severity="CRITICAL",
    outcome="design",
    title="A batch block loses parts of the table",
    why="Batch mode builds the new table from what SQLAlchemy reflects: triggers, indexes on "
    "expressions, AUTOINCREMENT, collations, unnamed CHECKs, STRICT and WITHOUT ROWID are not "
    "part of that and are gone afterwards, without an error.",
    fix="Give the batch block the whole table (copy_from=, table_args=, table_kwargs= "
    "with sqlite_autoincrement) and create triggers and indexes of {subject} again after it.",
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
    live={"lost_on_recreate": (1, ("trigger users_changed",))},
    databases=SQLITE,
    source="https://alembic.sqlalchemy.org/en/latest/batch.html; run on SQLite 3.40",
)
