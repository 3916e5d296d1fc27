"""An exclusion constraint on a table that is there."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        constraint = lock.operation.constraint
        if lock.operation.kind != "create_constraint" or constraint is None or lock.earlier:
            continue
        if constraint.kind == "exclude" and matters(scene, lock.step):
            evidence = "every pair of rows is checked, and an index built, under ACCESS EXCLUSIVE"
            yield held_hit(scene, lock.step, evidence, big="CRITICAL")


RULE = Rule(
    id="exclude",
    severity="WARNING",
    outcome="blocks",
    title="An exclusion constraint is added to an existing table",
    why="It can be neither NOT VALID nor built concurrently: nobody reads or writes until it "
    "is done, and it fails on the first rows that conflict.",
    fix="There is no way to add it to {table} without the lock: do it in a maintenance window, "
    "or create a new table with the constraint and move the rows over in batches.",
    bad=revision(
        "op.create_exclude_constraint('ex_bookings', 'bookings', ('room', '='), using='gist')",
        "op.drop_constraint('ex_bookings', 'bookings')",
    ),
    good=revision(
        "op.add_column('bookings', sa.Column('room', sa.Integer(), nullable=True))",
        "op.drop_column('bookings', 'room')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
