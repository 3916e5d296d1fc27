"""Dropping a foreign key locks the table that it refers to, too."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.operations import Operation
from rulezero_policies.rules import restored
from rulezero_policies.rules.drop_foreign_key import is_foreign_key
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _parent(scene: Scene, drop: Operation) -> str | None:
    known = restored.constraint(scene, drop)
    return (known.referred_table or "its parent") if is_foreign_key(known) else None


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        operation = lock.operation
        if operation.kind != "drop_constraint" or lock.earlier or lock.bounded:
            continue
        parent = _parent(scene, operation)
        if parent is not None and matters(scene, lock.step):
            evidence = f"ACCESS EXCLUSIVE on {parent} as well, without a lock_timeout"
            yield held_hit(scene, lock.step, evidence, names={"parent": parent})


RULE = Rule(
    id="fk-drop",
    severity="WARNING",
    outcome="blocks",
    title="Dropping a foreign key locks both tables",
    why="DROP CONSTRAINT of a foreign key takes ACCESS EXCLUSIVE on the table it refers to: it "
    "queues behind whoever uses that table, and everybody else queues behind it.",
    fix="Give up after a moment and try again: op.execute(\"SET lock_timeout = '2s'\") first; "
    "keep the lock on {parent} in a revision of its own.",
    bad=revision(
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')",
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
    ),
    good=revision(
        f"{TIMEOUT}op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'], "
        "postgresql_not_valid=True)",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
