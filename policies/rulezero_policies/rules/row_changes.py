"""Rows that were there are overwritten or deleted by a condition."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.rules.opaque import fills
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        for read in sql.read(operation.sql or "", scene.dialect):
            change = read.change
            if change is None or change.everywhere or fills(scene, change):
                continue
            what = "overwrites values in" if change.verb == "UPDATE" else "deletes"
            shown = sql.masked(read.text)[:200]
            evidence = f"{change.verb} {what} the rows that its condition picks: {shown}"
            yield Hit(subject=change.table, evidence=evidence, line=operation.line)


RULE = Rule(
    id="row-changes",
    severity="WARNING",
    outcome="loses_data",
    title="Existing values are overwritten or rows deleted",
    why="What stood there is gone; no downgrade brings it back, and a condition that picks more "
    "than was meant is not noticed.",
    fix="Run the condition as a SELECT count(*) on {subject} first and compare the number with "
    "what is expected; keep a copy of the old values where the downgrade needs them.",
    bad=revision("op.execute(\"DELETE FROM sessions WHERE kind = 'guest'\")", "pass"),
    good=revision(
        "op.execute(\"UPDATE tasks SET status = 'open' WHERE status IS NULL\")\n"
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), server_default='open')",
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), server_default=None)",
    ),
    check=_check,
)
