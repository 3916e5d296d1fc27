"""A server default that running code relies on is removed."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _required(scene: Scene, step: Step) -> bool:
    """Whether a row without a value is refused as soon as the default is gone."""
    column = step.operation.column
    if column is None or column.generated:
        return False
    change = step.operation.change("nullable")
    if change is not None:
        return change.after == "false"
    return _added_required(scene, step) if step.new_column else not column.nullable


def _added_required(scene: Scene, step: Step) -> bool:
    name = step.operation.column.name if step.operation.column else ""
    place = (step.operation.schema, step.operation.table)
    made = (o.column for o in (*scene.earlier, *scene.upgrade) if (o.schema, o.table) == place)
    return any(c is not None and c.name == name and not c.nullable for c in made)


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("server_default")
        if change is not None and change.after is None and _required(scene, step):
            was = f" ({change.before})" if change.before else ""
            evidence = f"the NOT NULL column loses its server default{was}"
            yield Hit(subject=step.operation.subject, evidence=evidence, line=step.operation.line)


RULE = Rule(
    id="drop-default",
    severity="WARNING",
    outcome="design",
    title="The server default of a NOT NULL column is dropped",
    why="From that moment every INSERT has to name the column: code that does not, because it "
    "still runs from before the column or trusted the default, fails with a NOT NULL violation.",
    fix="Keep the default of {subject} until all running code gives a value, and drop it in a "
    "later revision.",
    bad=revision(
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), existing_nullable=False, "
        "existing_server_default='open', server_default=None)",
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), existing_nullable=False, "
        "server_default='open')",
    ),
    good=revision(
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), existing_nullable=False, "
        "existing_server_default='open', server_default='new')",
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), existing_nullable=False, "
        "existing_server_default='new', server_default='open')",
    ),
    check=_check,
    stages=FORWARD,
)
