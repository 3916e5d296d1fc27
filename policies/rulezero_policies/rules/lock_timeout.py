"""A lock that is waited for without end."""

from collections.abc import Iterator

from rulezero_policies.locks.held import Held, held, is_small, matters, waited_on
from rulezero_policies.locks.postgresql import BLOCKS_WRITES
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _waits(scene: Scene) -> Iterator[Held]:
    """What blocks others, waits without end, and is of this revision."""
    for lock in held(scene):
        if lock.cost.lock in BLOCKS_WRITES and not lock.bounded and not lock.earlier:
            yield lock


def _check(scene: Scene) -> Iterator[Hit]:
    age = waited_on(scene)
    for lock in _waits(scene):
        operation = lock.operation
        what = f"{lock.cost.lock} on {operation.qualified} is waited for without a lock_timeout"
        if age is not None and not is_small(scene, lock.step):
            evidence = f"{what}, and a transaction has been open for {age} seconds"
            severity = "CRITICAL"
        elif lock.cost.long and matters(scene, lock.step):
            evidence, severity = what, None
        else:
            continue
        yield Hit(
            subject=operation.qualified, evidence=evidence, line=operation.line, severity=severity
        )
        return


RULE = Rule(
    id="lock-timeout",
    severity="WARNING",
    outcome="blocks",
    title="A lock is waited for without end",
    why="While DDL waits for its lock behind one long query, everybody else waits behind the "
    "DDL: the application stops although nothing runs.",
    fix='Give up after a moment and try again. First in upgrade(): op.execute("SET '
    "lock_timeout = '2s'\")  ({subject})",
    bad=revision(
        "op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0')",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    good=revision(
        f"{TIMEOUT}op.add_column('orders', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('orders', 'notes')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
