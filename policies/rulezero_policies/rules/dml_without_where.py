"""An UPDATE or DELETE that takes every row."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.rules.facts import is_empty, rows_words
from rulezero_policies.rules.opaque import fills
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        for read in sql.read(operation.sql or "", scene.dialect):
            statement, change = read.text, read.change
            if change is None or not change.everywhere or fills(scene, change):
                continue
            why = "no WHERE" if change.condition is None else "a WHERE that is always true"
            what = "overwrites" if change.verb == "UPDATE" else "deletes"
            rows = scene.rows(change.table, change.schema)
            seen = f"{change.verb} with {why} {what} every row: {_excerpt(statement)}"
            yield Hit(
                subject=change.table,
                evidence=f"{seen}; {rows_words(rows, change.table)}",
                line=operation.line,
                severity="WARNING" if is_empty(rows) else None,
                outcome="design" if is_empty(rows) else None,
            )


def _excerpt(statement: str) -> str:
    return sql.masked(statement)[:200]


RULE = Rule(
    id="dml-without-where",
    severity="CRITICAL",
    outcome="loses_data",
    title="UPDATE or DELETE without WHERE",
    why="It overwrites or deletes every row of the table, and no downgrade brings the old values "
    "back.",
    fix="Say in a WHERE which rows of {subject} are meant; back up first.",
    bad=revision("op.execute(\"UPDATE tasks SET status = 'open'\")", "pass"),
    good=revision(
        "op.execute(\"UPDATE tasks SET status = 'open' WHERE status IS NULL\")\n"
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), server_default='open')",
        "op.alter_column('tasks', 'status', existing_type=sa.String(20), server_default=None)",
    ),
    check=_check,
)
