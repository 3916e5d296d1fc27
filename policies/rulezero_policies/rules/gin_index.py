"""A JSONB column that no GIN index covers."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.json_type import new_columns
from rulezero_policies.rules.rule import FORWARD, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions


def _covered(scene: Scene, operation: Operation, column: str) -> bool:
    return any(
        o.kind == "create_index"
        and o.index is not None
        and (o.schema, o.table) == (operation.schema, operation.table)
        and (o.index.method or "").lower() == "gin"
        and any(mentions(expression, column) for expression in o.index.columns)
        for o in scene.upgrade
    ) or any(
        o.kind == "execute"
        and mentions(o.sql or "", "gin")
        and mentions(o.sql or "", column)
        and mentions(o.sql or "", operation.table or "")
        for o in scene.upgrade
    )


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for operation, column in new_columns(scene, "JSONB"):
        if not _covered(scene, operation, column.name):
            yield Hit(
                subject=f"{operation.qualified}.{column.name}",
                evidence="the JSONB column gets no GIN index",
                line=operation.line,
                names={"table": operation.table or "", "column": column.name},
            )


RULE = Rule(
    id="gin-index",
    severity="WARNING",
    outcome="design",
    title="JSONB column without a GIN index",
    why="Searching inside the documents (@>, ?, @?) reads the whole table without one.",
    fix="op.create_index('ix_{table}_{column}', {table!r}, [{column!r}], postgresql_using='gin'), "
    "or leave it out on purpose if nothing ever searches in it.",
    bad=revision(
        "op.add_column('events', sa.Column('payload', postgresql.JSONB(), nullable=True))",
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
