"""Maintenance that locks a whole table."""

from collections.abc import Iterator

from rulezero_policies.locks.held import is_small
from rulezero_policies.rules.locking import LARGE, MEASURED
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene

VERBS = frozenset(
    {
        *("cluster", "vacuum full", "reindex", "set unlogged", "set logged", "set tablespace"),
        *("detach partition", "refresh materialized view", "optimize", "rebuild", "lock table"),
    }
)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect == "sqlite":
        return
    for step in scene.steps:
        operation = step.operation
        if operation.verb not in VERBS or operation.detail == "concurrently":
            continue
        if not step.new_table and not (operation.table and is_small(scene, step)):
            what = operation.qualified or operation.name or "the whole database"
            evidence = f"{operation.verb} of {what} locks it for as long as it takes"
            yield Hit(subject=what, evidence=evidence, line=operation.line)


RULE = Rule(
    id="maintenance",
    severity="CRITICAL",
    outcome="blocks",
    title="Maintenance locks a whole table",
    why="CLUSTER, VACUUM FULL, REINDEX, SET [UN]LOGGED, DETACH PARTITION and REFRESH lock what "
    "they work on until they are done; a migration is no place for it.",
    fix="Use the form that lets others work: REINDEX ... CONCURRENTLY, DETACH PARTITION ... "
    "CONCURRENTLY, REFRESH MATERIALIZED VIEW CONCURRENTLY, pg_repack in place of CLUSTER "
    "and VACUUM FULL; run it outside of migrations ({subject}).",
    bad=revision("op.execute('CLUSTER events USING ix_events_kind')", "op.execute('SELECT 1')"),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    databases=("postgresql", "mysql"),
    live=LARGE,
    source=MEASURED,
    check=_check,
)
