"""A JSON column where PostgreSQL has JSONB."""

from collections.abc import Iterator

from rulezero_policies.operations import Column, Operation
from rulezero_policies.rules.rule import FORWARD, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def new_columns(scene: Scene, type_: str) -> Iterator[tuple[Operation, Column]]:
    """The columns of this type that the upgrade brings, new tables included."""
    for step in scene.steps:
        operation = step.operation
        added = (operation.column,) if operation.kind == "add_column" else ()
        for column in (*operation.columns, *added):
            if column and operation.kind != "drop_table" and column.type.upper() == type_:
                yield operation, column
        change = operation.change("type")
        if operation.column and change and (change.after or "").upper() == type_:
            yield operation, operation.column


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for operation, column in new_columns(scene, "JSON"):
        subject = f"{operation.qualified}.{column.name}"
        evidence = "the column's type is JSON, not JSONB"
        yield Hit(subject=subject, evidence=evidence, line=operation.line)


RULE = Rule(
    id="json-type",
    severity="WARNING",
    outcome="design",
    title="JSON instead of JSONB",
    why="PostgreSQL keeps JSON as text: it is parsed at every read, cannot be indexed with GIN, "
    "and has no equality, so SELECT DISTINCT and GROUP BY over it fail.",
    fix="Use postgresql.JSONB() for {subject} (from sqlalchemy.dialects import postgresql).",
    bad=revision(
        "op.add_column('events', sa.Column('payload', sa.JSON(), nullable=True))",
        "op.drop_column('events', 'payload')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('payload', postgresql.JSONB(), nullable=True))\n"
        "op.create_index('ix_events_payload', 'events', ['payload'], postgresql_using='gin')",
        "op.drop_index('ix_events_payload', table_name='events')\n"
        "op.drop_column('events', 'payload')",
    ),
    check=_check,
    databases=POSTGRESQL,
    stages=FORWARD,
)
