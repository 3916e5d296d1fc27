"""A unique, check or primary key constraint is removed."""

from collections.abc import Iterator

from rulezero_policies.rules.drop_foreign_key import is_foreign_key, lost
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for operation, known in lost(scene):
        if not is_foreign_key(known):
            kind = known.kind.replace("_", " ")
            name = known.name or "(unnamed)"
            evidence = f"{kind} constraint {name} is dropped and not made again"
            yield Hit(
                subject=operation.subject,
                evidence=evidence,
                line=operation.line,
                names={"name": name},
            )


RULE = Rule(
    id="drop-constraint",
    severity="WARNING",
    outcome="design",
    title="A constraint is dropped",
    why="Data that it kept out can come in from now on, and then it cannot be added again.",
    fix="Keep {name} on {subject} unless such data is wanted; to change it, drop and create it in "
    "the same revision.",
    bad=revision(
        "op.drop_constraint('uq_users_email', 'users', type_='unique')",
        "op.create_unique_constraint('uq_users_email', 'users', ['email'])",
    ),
    good=revision(
        "op.create_index('ix_users_email', 'users', ['email'])",
        "op.drop_index('ix_users_email', table_name='users')",
    ),
    check=_check,
)
