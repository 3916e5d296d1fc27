"""A constraint is validated while the lock of adding it is still held."""

from collections.abc import Iterator

from rulezero_policies.locks.held import Held, held, is_small
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _locked_before(locks: tuple[Held, ...], validation: Held) -> Held | None:
    """What in the same transaction has locked the table harder already."""
    place = (validation.step.schema, validation.step.table)
    for lock in locks[: locks.index(validation)]:
        same = lock.transaction == validation.transaction
        hard = lock.cost.lock in {"ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"}
        if same and hard and (lock.step.schema, lock.step.table) == place:
            return lock
    return None


def _check(scene: Scene) -> Iterator[Hit]:
    locks = held(scene)
    for lock in locks:
        if lock.operation.verb != "validate constraint" or lock.earlier:
            continue
        before = _locked_before(locks, lock)
        if before is not None and not is_small(scene, lock.step):
            evidence = (
                f"VALIDATE CONSTRAINT {lock.operation.name} reads every row while this transaction "
                f"still holds {before.cost.lock}"
            )
            yield held_hit(scene, lock.step, evidence)


RULE = Rule(
    id="validate-same-transaction",
    severity="WARNING",
    outcome="blocks",
    title="A constraint is validated under the lock of adding it",
    why="VALIDATE lets readers and writers through, but the lock that was taken before in the "
    "same transaction does not: nothing is won by NOT VALID.",
    fix="Put VALIDATE CONSTRAINT on {table} into the next revision and run each revision in a "
    "transaction of its own (transaction_per_migration=True in env.py), or into an "
    "op.get_context().autocommit_block().",
    bad=revision(
        "op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0', "
        "postgresql_not_valid=True)\n"
        "op.execute('ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_amount')",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    good=revision(
        f"{TIMEOUT}op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0', "
        "postgresql_not_valid=True)\n"
        "with op.get_context().autocommit_block():\n"
        "    op.execute('ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_amount')",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
