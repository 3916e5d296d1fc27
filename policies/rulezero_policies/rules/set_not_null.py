"""NULL is taken away from a column that may hold it."""

from collections.abc import Iterator

from rulezero_policies.findings import Fact
from rulezero_policies.rules.facts import is_empty, is_filled, names, rows_words
from rulezero_policies.rules.not_null_without_default import MYSQL
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step, becomes_not_null


def _words(fact: Fact | None, subject: str) -> str:
    if fact is None or fact.count is None:
        return f"the NULLs in {subject} could not be counted"
    keys = f" (for example in the rows {', '.join(fact.sample)})" if fact.sample else ""
    return f"{fact.amount} rows have NULL in {subject}{keys}"


def _seen(scene: Scene, step: Step) -> tuple[Fact | None, str] | None:
    """The count that decides, and what it says; None where no NULL can be there."""
    operation = step.operation
    column = operation.column
    if column and column.name in step.empty:
        fact = scene.fact(step.rows)
        return fact, f"the new column holds only NULL; {rows_words(fact, operation.qualified)}"
    if step.new_column:
        return None
    fact = scene.fact(step.nulls)
    return fact, _words(fact, operation.subject)


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        if not becomes_not_null(step.operation):
            continue
        seen = _seen(scene, step)
        if seen is None or is_empty(seen[0]):
            continue
        certain = is_filled(seen[0])
        yield Hit(
            subject=step.operation.subject,
            evidence=f"set NOT NULL; {seen[1]}",
            line=step.operation.line,
            severity="CRITICAL" if certain else None,
            outcome="will_fail" if certain and scene.dialect not in MYSQL else None,
            names=names(step.operation),
        )


RULE = Rule(
    id="set-not-null",
    severity="WARNING",
    outcome="may_fail",
    title="A column is set NOT NULL",
    why="It fails on the first NULL that is there, and reads the whole table under an exclusive "
    "lock.",
    fix='Before it, backfill: op.execute("UPDATE {table} SET {column} = ... WHERE {column} IS '
    'NULL").',
    bad=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), nullable=False)",
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), nullable=True)",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=True))\n"
        "op.execute(\"UPDATE tasks SET priority = 'medium' WHERE priority IS NULL\")\n"
        "op.alter_column('tasks', 'priority', existing_type=sa.String(20), nullable=False)",
        "op.drop_column('tasks', 'priority')",
    ),
    check=_check,
)
