"""A constraint without a name is dropped, or made where one is needed."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _evidence(scene: Scene, operation: Operation) -> str | None:
    constraint = operation.constraint
    if constraint is None or constraint.name is not None:
        return None
    kind = constraint.kind.replace("_", " ")
    if operation.kind == "drop_constraint":
        return f"drop_constraint(None): the {kind} constraint to drop has no name"
    if operation.kind == "create_constraint" and operation.batch and scene.dialect == "sqlite":
        return f"batch mode: the {kind} constraint to create has no name"
    return None


def _check(scene: Scene) -> Iterator[Hit]:
    down = scene.downgrade if scene.stage == "revision" else ()
    for function, operations in (("upgrade", scene.upgrade), ("downgrade", down)):
        for operation in operations:
            if evidence := _evidence(scene, operation):
                yield Hit(
                    subject=operation.subject,
                    evidence=f"{evidence}, in {function}()",
                    line=operation.line,
                )


RULE = Rule(
    id="unnamed-drop",
    severity="CRITICAL",
    outcome="will_fail",
    title="A constraint without a name",
    why="A constraint is dropped by its name; without one the statement cannot be written and the "
    "migration stops there. Batch mode needs the name already when it creates one.",
    fix="Name the constraint on {subject} where it is created and where it is dropped, and set "
    "MetaData(naming_convention=...) so that all of them get names.",
    bad=revision(
        "op.create_foreign_key(None, 'tasks', 'users', ['user_id'], ['id'])",
        "op.drop_constraint(None, 'tasks', type_='foreignkey')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('user_id', sa.Integer(), nullable=True))\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.drop_column('tasks', 'user_id')",
    ),
    check=_check,
)
