"""The whole table is written anew."""

from collections.abc import Iterator

from rulezero_policies.locks.held import assumed, held, matters
from rulezero_policies.operations import Operation
from rulezero_policies.rules.int_bigint_pk import widens_key
from rulezero_policies.rules.locking import LARGE, MEASURED, held_hit
from rulezero_policies.rules.maintenance import VERBS as OTHERS
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _what(operation: Operation) -> str:
    if operation.kind == "add_column":
        return "every row gets a value of its own"
    change = operation.change("type")
    if change is not None:
        return f"from {change.before or 'a type that is not stated'} to {change.after}"
    return operation.verb or operation.kind


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        operation = lock.operation
        if lock.cost.effect != "rewrite" or lock.earlier or operation.verb in OTHERS:
            continue
        if matters(scene, lock.step) and not widens_key(operation) and not lock.step.new_column:
            sure = "is written anew" if lock.cost.certain else "may be written anew"
            evidence = (
                f"{_what(operation)}: the table {sure} under ACCESS EXCLUSIVE ({assumed(scene)})"
            )
            yield held_hit(scene, lock.step, evidence, big="CRITICAL")


RULE = Rule(
    id="rewrite",
    severity="WARNING",
    outcome="blocks",
    title="The whole table is written anew",
    why="PostgreSQL copies the table and all its indexes while nobody may read or write it; it "
    "takes as much disk again.",
    fix="Expand and contract: add a new nullable column to {table}, fill it in batches, switch "
    "the code, drop the old one in a later revision. A volatile default: add the column "
    "without it, then set the default, then fill in batches.",
    bad=revision(
        "op.add_column('events', sa.Column('token', sa.Uuid(), "
        "server_default=sa.text('gen_random_uuid()')))",
        "op.drop_column('events', 'token')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('state', sa.String(20), nullable=False, "
        "server_default='new'))",
        "op.drop_column('events', 'state')",
    ),
    versions="18 knows VIRTUAL generated columns, which write nothing.",
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
