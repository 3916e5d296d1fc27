"""An index is built while nobody may write."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        operation = lock.operation
        builds = operation.kind == "create_index" and lock.cost.long
        if builds and not lock.earlier and matters(scene, lock.step):
            name = (operation.index.name if operation.index else None) or "(unnamed)"
            evidence = f"index {name} is built under a SHARE lock: nobody writes meanwhile"
            yield held_hit(scene, lock.step, evidence, names={"name": name})


RULE = Rule(
    id="index-lock",
    severity="WARNING",
    outcome="blocks",
    title="An index is built while writes are blocked",
    why="CREATE INDEX holds a SHARE lock from its first row to the commit: every INSERT, "
    "UPDATE and DELETE on the table waits.",
    fix="Build it without the lock, in a revision of its own: with "
    "op.get_context().autocommit_block(): op.create_index('{name}', '{table}', [...], "
    "postgresql_concurrently=True)",
    bad=revision(
        "op.create_index('ix_events_kind', 'events', ['kind'])",
        "op.drop_index('ix_events_kind', table_name='events')",
    ),
    good=revision(
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix_events_kind', 'events', ['kind'], postgresql_concurrently=True)",
        "op.drop_index('ix_events_kind', table_name='events')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
