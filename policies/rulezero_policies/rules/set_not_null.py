"""NULL is taken away from a column that may hold it."""

from collections.abc import Iterator
from dataclasses import replace

from rulezero_policies import asks
from rulezero_policies.asks import MYSQL
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.rules.facts import (
    FAILS,
    LOSES,
    by_violations,
    is_empty,
    is_filled,
    names,
    rows_words,
)
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step, becomes_not_null


def _of_new(scene: Scene, step: Step) -> Hit | None:
    """The hit for a column that the plan added and nothing filled."""
    fact = scene.fact(step.rows)
    if is_empty(fact):
        return None
    rows = rows_words(fact, step.operation.qualified)
    certain = _certain(scene) if is_filled(fact) else (None, None)
    return Hit(
        subject=step.operation.subject,
        evidence=f"set NOT NULL; the new column holds only NULL; {rows}",
        line=step.operation.line,
        severity=certain[0],
        outcome=certain[1],
        names=names(step.operation),
    )


def _certain(scene: Scene) -> tuple[Severity | None, Outcome | None]:
    """What NULLs that are there mean: only a strict MySQL refuses them."""
    if scene.dialect not in MYSQL:
        return FAILS
    mode = scene.fact(asks.SQL_MODE)
    return FAILS if is_filled(mode) else LOSES if is_empty(mode) else ("CRITICAL", None)


def _judged(scene: Scene, step: Step, column: str) -> Hit | None:
    if column in step.empty:
        return _of_new(scene, step)
    if step.new_column or step.filled(column):
        return None
    certain = _certain(scene)
    hit = by_violations(
        step,
        scene.fact(step.nulls),
        evidence="set NOT NULL",
        what=f"rows that have NULL in {step.operation.subject}",
        columns=(column,),
    )
    if hit is None or hit.outcome is None:
        return hit
    return replace(hit, severity=certain[0], outcome=certain[1])


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        column = step.operation.column
        if column is None or not becomes_not_null(step.operation):
            continue
        if hit := _judged(scene, step, column.name):
            yield hit


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
