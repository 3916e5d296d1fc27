"""Every row is read under an exclusive lock."""

import re
from collections.abc import Iterator

from rulezero_policies.locks.held import assumed, held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _proved(scene: Scene, step: Step) -> bool:
    """Whether a validated CHECK says already that the column holds no NULL."""
    column = step.operation.column
    name = re.escape(column.name if column else "")
    says = re.compile(rf'"?{name}"?\s+IS\s+NOT\s+NULL', re.IGNORECASE)
    steps = (*scene.earlier, *scene.upgrade)
    checks = [o.constraint for o in steps if o.constraint and o.table == step.operation.table]
    proofs = {c.name for c in checks if says.fullmatch((c.expression or "").strip("() "))}
    validated = {o.name for o in steps if o.verb == "validate constraint"}
    return bool(proofs & validated)


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        operation = lock.operation
        scans = lock.cost.effect == "scan" and lock.cost.lock == "ACCESS EXCLUSIVE"
        if not scans or lock.earlier or not matters(scene, lock.step):
            continue
        if operation.kind == "create_constraint":
            said = "the CHECK reads every row under ACCESS EXCLUSIVE"
        elif operation.kind == "alter_column" and not _proved(scene, lock.step):
            said = "SET NOT NULL reads every row under ACCESS EXCLUSIVE"
        else:
            continue
        yield held_hit(scene, lock.step, f"{said} ({assumed(scene)})")


RULE = Rule(
    id="check-lock",
    severity="WARNING",
    outcome="blocks",
    title="Every row is checked under an exclusive lock",
    why="Nobody reads or writes the table while a new CHECK or SET NOT NULL goes through all "
    "of it.",
    fix="Add it without looking: op.create_check_constraint(..., postgresql_not_valid=True) on "
    "{table}; in the next revision op.execute('ALTER TABLE {table} VALIDATE CONSTRAINT "
    "...'). SET NOT NULL after a validated CHECK (column IS NOT NULL) reads nothing.",
    bad=revision(
        "op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0')",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    good=revision(
        f"{TIMEOUT}op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0', "
        "postgresql_not_valid=True)",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    versions="From 18 on NOT NULL itself can be NOT VALID.",
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
