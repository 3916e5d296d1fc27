"""A DROP in raw SQL that takes more with it than it names."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        for statement in sql.statements(operation.sql or "", scene.dialect):
            if sql.cascades(statement):
                text = " ".join(statement.split()[:6])
                evidence = f"it takes with it what it does not name: {sql.masked(statement)[:200]}"
                yield Hit(subject=text, evidence=evidence, line=operation.line)


RULE = Rule(
    id="drop-cascade",
    severity="CRITICAL",
    outcome="loses_data",
    title="A drop takes more than it names",
    why="CASCADE drops every view, foreign key and table part that depends on what is named; "
    "dropping a schema or database drops everything in it.",
    fix="Name each thing that is to go, in its own op.drop_* step, instead of: {subject}.",
    bad=revision("op.execute('DROP VIEW active_users CASCADE')", "pass"),
    good=revision(
        "op.add_column('users', sa.Column('deleted_at', sa.DateTime(), nullable=True))",
        "op.drop_column('users', 'deleted_at')",
    ),
    check=_check,
)
