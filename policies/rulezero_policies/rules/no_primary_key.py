"""A table whose rows cannot be told apart."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions


def _keyed(scene: Scene, table: Operation) -> bool:
    """Whether the table has a key at the end of the upgrade, or may have one."""
    if any(c.primary_key for c in table.columns):
        return True
    place = (table.schema, table.table)
    steps = [o for o in scene.upgrade if (o.schema, o.table) == place]
    constraints = (c for o in steps for c in created_constraints(o))
    late = any(c.kind == "primary_key" for c in constraints)
    gone = any(o.kind == "drop_table" for o in steps)
    raw = (o.sql or "" for o in scene.upgrade if o.kind == "execute")
    written = any(mentions(s, "primary") and mentions(s, table.table or "") for s in raw)
    return late or gone or written


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.steps:
        table = step.operation
        if table.kind == "create_table" and table.columns and not _keyed(scene, table):
            evidence = "the table is created without a primary key"
            yield Hit(subject=table.qualified, evidence=evidence, line=table.line)


RULE = Rule(
    id="no-primary-key",
    severity="WARNING",
    outcome="design",
    title="A table without a primary key",
    why="The same row can come in twice, and then no statement can name only one of them; logical "
    "replication cannot carry its updates, and tools that copy or page by key cannot handle it.",
    fix="Give {subject} a primary key: sa.PrimaryKeyConstraint('id'), or over both columns of an "
    "association table.",
    bad=revision(
        "op.create_table('followers', sa.Column('follower', sa.Integer(), nullable=False), "
        "sa.Column('followed', sa.Integer(), nullable=False))",
        "op.drop_table('followers')",
    ),
    good=revision(
        "op.create_table('followers', sa.Column('follower', sa.Integer(), nullable=False), "
        "sa.Column('followed', sa.Integer(), nullable=False), "
        "sa.PrimaryKeyConstraint('follower', 'followed'))",
        "op.drop_table('followers')",
    ),
    check=_check,
    stages=FORWARD,
)
