"""A foreign key over rows that are already there."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules import restored
from rulezero_policies.rules.facts import FAILS, by_rows, by_violations, is_empty, is_filled
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _replaces(scene: Scene, operation: Operation, key: Constraint) -> bool:
    """Whether it follows a key with the same columns and target, so that no orphan can be there."""
    drops = (
        restored.constraint(scene, o)
        for o in scene.upgrade
        if o.kind == "drop_constraint"
        and (o.schema, o.table) == (operation.schema, operation.table)
    )
    shape = (key.columns, key.referred_schema, key.referred_table)
    return any((d.columns, d.referred_schema, d.referred_table) == shape for d in drops)


def _judged(scene: Scene, step: Step, key: Constraint) -> Hit | None:
    on = ", ".join(key.columns)
    subject = f"{step.operation.qualified}.{on}"
    evidence = f"foreign key on {on} to {key.referred_table} over existing rows"
    asked = asks.orphans(step, key)
    if asked is None or scene.is_new(key.referred_table or "", key.referred_schema):
        rows = scene.fact(step.rows)
        return None if is_empty(rows) else by_rows(scene, step, evidence, subject=subject)
    enforced = scene.dialect != "sqlite" or is_filled(scene.fact(asks.FOREIGN_KEYS_ON))
    return by_violations(
        step,
        scene.fact(asked),
        evidence=evidence,
        what="rows without a parent",
        columns=key.columns,
        subject=subject,
        # SQLite copies orphans along and says nothing unless the connection enforces foreign keys.
        certain=FAILS if enforced else ("WARNING", "design"),
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_constraint"):
        key = step.operation.constraint
        if key is None or key.kind != "foreign_key" or key.not_valid:
            continue
        if set(key.columns) & step.empty or _replaces(scene, step.operation, key):
            continue
        if hit := _judged(scene, step, key):
            yield hit


RULE = Rule(
    id="add-foreign-key",
    severity="WARNING",
    outcome="may_fail",
    title="A foreign key is added to an existing column",
    why="It fails on the first row whose parent does not exist, and locks both tables while it "
    "checks.",
    fix="Look for rows of {subject} without a parent and correct them in a revision before. On "
    "PostgreSQL create the key with postgresql_not_valid=True and validate it afterwards with "
    "ALTER TABLE ... VALIDATE CONSTRAINT.",
    bad=revision(
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('user_id', sa.Integer(), nullable=True))\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.drop_column('tasks', 'user_id')",
    ),
    check=_check,
)
