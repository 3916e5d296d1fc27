"""A foreign key to a table that does not exist yet."""

from collections.abc import Iterator

from rulezero_policies.rules.references import too_early
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for operation, key in too_early(scene.upgrade):
        parent = key.referred_table or ""
        lenient = scene.dialect == "sqlite"
        yield Hit(
            subject=operation.subject,
            evidence=f"foreign key to {parent}, which is only created by a later step",
            line=operation.line,
            severity="WARNING" if lenient else None,
            outcome="design" if lenient else None,
            names={"parent": parent},
        )


_USERS = (
    "op.create_table('users', sa.Column('id', sa.Integer(), nullable=False), "
    "sa.PrimaryKeyConstraint('id'))"
)
_TASKS = (
    "op.create_table('tasks', sa.Column('id', sa.Integer(), nullable=False), "
    "sa.Column('user_id', sa.Integer(), nullable=False), sa.PrimaryKeyConstraint('id'), "
    "sa.ForeignKeyConstraint(['user_id'], ['users.id']))"
)
_DROPS = "op.drop_table('tasks')\nop.drop_table('users')"

RULE = Rule(
    id="foreign-key-order",
    severity="CRITICAL",
    outcome="will_fail",
    title="A foreign key comes before the table it refers to",
    why="The database refuses a foreign key to a table that does not exist.",
    fix="Create {parent} before {subject}; where two tables refer to each other, create both "
    "first and the foreign keys afterwards.",
    bad=revision(f"{_TASKS}\n{_USERS}", _DROPS),
    good=revision(f"{_USERS}\n{_TASKS}", _DROPS),
    check=_check,
)
