"""Uniqueness whose index is built under an exclusive lock."""

from collections.abc import Iterator

from rulezero_policies.locks.held import held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED, TIMEOUT, held_hit
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for lock in held(scene):
        constraint = lock.operation.constraint
        made = lock.operation.kind == "create_constraint" and lock.cost.effect == "index"
        unique = constraint is not None and constraint.kind in {"unique", "primary_key"}
        if made and unique and not lock.earlier and matters(scene, lock.step):
            evidence = "its index is built under ACCESS EXCLUSIVE: nobody reads or writes meanwhile"
            yield held_hit(scene, lock.step, evidence)


RULE = Rule(
    id="unique-lock",
    severity="WARNING",
    outcome="blocks",
    title="A unique constraint builds its index under an exclusive lock",
    why="ADD UNIQUE and ADD PRIMARY KEY build an index while nobody may even read the table.",
    fix="Build a unique index with postgresql_concurrently=True in an autocommit_block first; "
    "then, in the next revision, op.execute('ALTER TABLE {table} ADD CONSTRAINT ... UNIQUE "
    "USING INDEX ...').",
    bad=revision(
        "op.create_unique_constraint('uq_users_email', 'users', ['email'])",
        "op.drop_constraint('uq_users_email', 'users', type_='unique')",
    ),
    good=revision(
        f"{TIMEOUT}op.execute('ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE "
        "USING INDEX ix_users_email')",
        "op.drop_constraint('uq_users_email', 'users', type_='unique')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
