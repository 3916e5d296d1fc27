"""A foreign key is checked while two tables are locked."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        if lock.cost.effect != "validation" or lock.earlier:
            continue
        if matters(scene, lock.step):
            key = lock.operation.constraint
            parent = (key.referred_table if key else None) or "the table it refers to"
            table = lock.operation.qualified
            evidence = f"no write on {table} or {parent} while every row is looked up"
            yield held_hit(scene, lock.step, evidence, names={"parent": parent})


RULE = Rule(
    id="fk-lock",
    severity="WARNING",
    outcome="blocks",
    title="A foreign key is checked while two tables are locked",
    why="ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on both tables until every row has been "
    "looked up.",
    fix="Add it without looking: op.create_foreign_key(..., postgresql_not_valid=True); in the "
    "next revision op.execute('ALTER TABLE {table} VALIDATE CONSTRAINT ...'), which lets "
    "writes through.",
    bad=revision(
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')",
    ),
    good=revision(
        f"{TIMEOUT}op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'], "
        "postgresql_not_valid=True)",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
