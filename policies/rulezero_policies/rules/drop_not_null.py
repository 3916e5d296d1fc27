"""NULL may come into a column that never held one."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _widely_known(scene: Scene, step: Step) -> bool:
    """Whether the column is about to be replaced: what wrote it stops, nothing is read from it."""
    place = (step.operation.schema, step.operation.table or "")
    name = step.operation.column.name if step.operation.column else ""
    return (place, name) in scene.dropped_columns or step.new_column


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("nullable")
        loosened = change is not None and change.after == "true" and change.before == "false"
        if loosened and not _widely_known(scene, step):
            evidence = "the column may hold NULL from now on"
            yield Hit(subject=step.operation.subject, evidence=evidence, line=step.operation.line)


RULE = Rule(
    id="drop-not-null",
    severity="WARNING",
    outcome="design",
    title="NOT NULL is taken from a column",
    why="Code that still runs does not expect NULL: it fails on it, or leaves those rows out of "
    "comparisons, sums and joins without a word. Once NULLs are in, NOT NULL cannot come back.",
    fix="First deploy code that reads NULL in {subject}; then let NULL in. To take the column out "
    "of use, give it a server default instead.",
    bad=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), existing_nullable=False, "
        "nullable=True)",
        "op.execute(\"UPDATE tasks SET title = '' WHERE title IS NULL\")\n"
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), existing_nullable=True, "
        "nullable=False)",
    ),
    good=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), existing_nullable=False, "
        "server_default='')",
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), existing_nullable=False, "
        "existing_server_default='', server_default=None)",
    ),
    check=_check,
    stages=FORWARD,
)
