"""A primary key gets another type."""

from collections.abc import Iterator

from rulezero_policies.column_types import compare
from rulezero_policies.locks.held import held, matters
from rulezero_policies.operations import Operation
from rulezero_policies.rules.locking import LARGE, MEASURED, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def widens_key(operation: Operation) -> bool:
    """Whether a primary key's type changes; a key that is not stated is told by its name."""
    column, change = operation.column, operation.change("type")
    if operation.kind != "alter_column" or column is None or change is None:
        return False
    same = change.before and compare(change.before, change.after or "") == "same"
    return not same and (column.primary_key or column.name.lower() == "id")


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        if not widens_key(lock.operation) or lock.earlier or not matters(scene, lock.step):
            continue
        change = lock.operation.change("type")
        to = change.after if change else ""
        evidence = (
            f"the key becomes {to}: this table is written anew, and it and every table that refers "
            "to it are under ACCESS EXCLUSIVE"
        )
        yield held_hit(scene, lock.step, evidence, big="CRITICAL")


RULE = Rule(
    id="int-bigint-pk",
    severity="WARNING",
    outcome="blocks",
    title="A primary key's type changes",
    why="The table is written anew and the keys of all tables that refer to it are checked "
    "again, all of them locked against everybody.",
    fix="Add a BIGINT column beside the key of {table}, keep it filled by a trigger, fill old "
    "rows in batches, build a unique index concurrently, then swap the two in one short "
    "transaction; the same for every foreign key before.",
    bad=revision(
        "op.alter_column('events', 'id', existing_type=sa.Integer(), type_=sa.BigInteger())",
        "op.alter_column('events', 'id', existing_type=sa.BigInteger(), type_=sa.Integer())",
    ),
    good=revision(
        "op.add_column('events', sa.Column('id_big', sa.BigInteger(), nullable=True))",
        "op.drop_column('events', 'id_big')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
