"""An enumeration loses labels."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.operations import Change
from rulezero_policies.rules.facts import FAILS, LOSES, by_violations, is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _judged(scene: Scene, step: Step, change: Change) -> Hit | None:
    after = asks.new_labels(step, change)
    before = asks.labels(change.before)
    gone = [label for label in before if label not in after]
    if not after or (before and not gone):
        return None
    lenient = scene.dialect in asks.MYSQL and is_empty(scene.fact(asks.SQL_MODE))
    certain: tuple[Severity, Outcome] = LOSES if lenient else FAILS
    column = (step.operation.column.name,) if step.operation.column else ()
    named = f"the labels {', '.join(gone)} are removed" if gone else "the labels are made anew"
    return by_violations(
        step,
        scene.fact(asks.outside(step, after)),
        evidence=named,
        what="values that are none of the new labels",
        columns=column,
        certain=certain,
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if change and not step.new_column and (hit := _judged(scene, step, change)):
            yield hit


RULE = Rule(
    id="enum-remove",
    severity="CRITICAL",
    outcome="may_fail",
    title="An enumeration loses labels",
    why="Rows that hold a label which is no longer there end the statement, or are emptied where "
    "MySQL is not strict.",
    fix="Give the rows of {subject} that hold such a label another one first, in a revision "
    "before.",
    bad=revision(
        "op.alter_column('tasks', 'state', existing_type=sa.Enum('new', 'open', 'done'), "
        "type_=sa.Enum('open', 'done'), existing_nullable=True, existing_server_default=None)",
        "op.alter_column('tasks', 'state', existing_type=sa.Enum('open', 'done'), "
        "type_=sa.Enum('new', 'open', 'done'), existing_nullable=True, "
        "existing_server_default=None)",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('label', sa.String(20), nullable=True))",
        "op.drop_column('tasks', 'label')",
    ),
    check=_check,
    dialect="mysql",
    databases=("postgresql", "mysql"),
    source="run on PostgreSQL 18 and MariaDB 10.11",
)
