"""Exclusive locks that are held over what comes after them."""

from collections.abc import Iterator

from rulezero_policies.locks.held import Held, held, matters
from rulezero_policies.rules.locking import LARGE, MEASURED
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.thresholds import MANY_LOCKED_TABLES


def _groups(scene: Scene) -> Iterator[list[Held]]:
    """What each transaction locks on tables that are, or may be, large."""
    groups: dict[int, list[Held]] = {}
    for lock in held(scene):
        if matters(scene, lock.step):
            groups.setdefault(lock.transaction, []).append(lock)
    yield from groups.values()


def _over(group: list[Held]) -> str | None:
    """What is held over what, if anything is."""
    exclusive = [lock for lock in group if lock.cost.lock == "ACCESS EXCLUSIVE"]
    tables = tuple(dict.fromkeys(lock.operation.qualified for lock in exclusive))
    if len(tables) >= MANY_LOCKED_TABLES:
        return f"one transaction holds ACCESS EXCLUSIVE on {', '.join(tables)} until it commits"
    for first in exclusive:
        later = group[group.index(first) + 1 :]
        if slow := next((lock for lock in later if lock.cost.long and _worse(first, lock)), None):
            return (
                f"ACCESS EXCLUSIVE on {first.operation.qualified} is held while "
                f"{slow.operation.qualified} is worked on (line {slow.operation.line})"
            )
    return None


def _worse(first: Held, later: Held) -> bool:
    """Whether the later step would let more through than the lock that is held over it."""
    same = (first.step.schema, first.step.table) == (later.step.schema, later.step.table)
    return not same or later.cost.lock != first.cost.lock


def _check(scene: Scene) -> Iterator[Hit]:
    for group in _groups(scene):
        ours = [lock for lock in group if not lock.earlier]
        if ours and (evidence := _over(group)):
            operation = ours[-1].operation
            yield Hit(subject=operation.qualified, evidence=evidence, line=operation.line)


RULE = Rule(
    id="many-exclusive",
    severity="WARNING",
    outcome="blocks",
    title="Exclusive locks pile up in one transaction",
    why="A lock is held to the end of its transaction: what would block for a moment blocks "
    "for as long as everything behind it takes, and two such transactions can wait for "
    "each other.",
    fix="Split the revision so that {subject} is changed in a transaction of its own, and set "
    "transaction_per_migration=True in env.py: by default all pending revisions are one "
    "transaction.",
    bad=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_users_email', 'users', ['email'])",
        "op.drop_index('ix_users_email', table_name='users')\nop.drop_column('events', 'notes')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.add_column('users', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('users', 'notes')\nop.drop_column('events', 'notes')",
    ),
    databases=POSTGRESQL,
    live=LARGE,
    source=MEASURED,
    check=_check,
)
