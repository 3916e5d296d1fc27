"""Rows are changed in bulk beside DDL."""

from collections.abc import Iterator

from rulezero_policies.locks.held import MYSQL, held, matters
from rulezero_policies.rules.locking import LARGE, held_hit
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_BULK = frozenset({"update", "delete"})


def _beside(scene: Scene) -> Iterator[Step]:
    """The bulk changes that stand in a transaction with a lock, or in a revision with DDL."""
    if scene.dialect in MYSQL:
        if any(s.operation.kind not in {"statement", "execute"} for s in scene.existing):
            yield from (s for s in scene.of("statement") if s.operation.verb in _BULK)
        return
    locks = held(scene)
    exclusive = {k.transaction for k in locks if k.cost.lock == "ACCESS EXCLUSIVE"}
    for lock in locks:
        bulk = lock.operation.verb in _BULK and not lock.earlier
        if bulk and lock.transaction in exclusive:
            yield lock.step


def _check(scene: Scene) -> Iterator[Hit]:
    for step in _beside(scene):
        if matters(scene, step):
            evidence = f"one {(step.operation.verb or '').upper()} changes rows in bulk beside DDL"
            yield held_hit(scene, step, evidence)


RULE = Rule(
    id="backfill-in-transaction",
    severity="WARNING",
    outcome="blocks",
    title="Rows are changed in bulk beside DDL",
    why="The locks of the DDL are held until the last row is changed, and one failing row "
    "takes back everything; on MySQL and MariaDB it leaves the DDL done and the rows not.",
    fix="Change the rows of {table} in a revision of its own, in batches of some thousand with "
    "a commit after each.",
    bad=revision(
        "op.add_column('events', sa.Column('kind', sa.Text(), nullable=True))\n"
        "op.execute(\"UPDATE events SET kind = 'page'\")",
        "op.drop_column('events', 'kind')",
    ),
    good=revision(
        "op.execute(\"UPDATE events SET kind = 'page' WHERE kind IS NULL\")",
        "op.execute('SELECT 1')",
    ),
    databases=("postgresql", "mysql"),
    live=LARGE,
    source="PostgreSQL's manual, Explicit Locking; MariaDB's, SQL statements that commit",
    check=_check,
)
