"""A type change takes the column's statistics."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _analyzed(scene: Scene, table: str | None) -> bool:
    return any(o.verb == "analyze" and o.table in {None, table} for o in scene.upgrade)


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        changes = lock.operation.change("type") is not None and lock.cost.effect == "rewrite"
        if not changes or lock.earlier or not matters(scene, lock.step):
            continue
        if not _analyzed(scene, lock.operation.table) and not lock.step.new_column:
            evidence = (
                "the planner's statistics of the column are deleted, and nothing makes new ones"
            )
            yield held_hit(scene, lock.step, evidence)


RULE = Rule(
    id="statistics-lost",
    severity="WARNING",
    outcome="design",
    title="A type change deletes the column's statistics",
    why="Until the table is analyzed, queries on the column are planned blindly; autovacuum "
    "does not come for it, because no row has changed.",
    fix="Behind it: op.execute('ANALYZE {table}')",
    bad=revision(
        "op.alter_column('events', 'size', existing_type=sa.Integer(), type_=sa.BigInteger())",
        "op.alter_column('events', 'size', existing_type=sa.BigInteger(), type_=sa.Integer())",
    ),
    good=revision(
        "op.add_column('events', sa.Column('size_big', sa.BigInteger(), nullable=True))",
        "op.drop_column('events', 'size_big')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
