"""A downgrade that throws away what the upgrade moved."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions

_DROPS = {"drop_column": "add_column", "drop_table": "create_table"}


def _name(operation: Operation) -> str:
    return (operation.column.name if operation.column else operation.table) or ""


def _copied(operations: tuple[Operation, ...], name: str, other: str) -> bool:
    """Whether SQL reads or writes both."""
    texts = (o.sql or "" for o in operations if o.kind in {"execute", "opaque"})
    return any(mentions(t, name) and mentions(t, other) for t in texts)


def _unseen(scene: Scene) -> bool:
    dark = any(o.kind == "opaque" for o in scene.downgrade)
    return dark or any(o.kind == "bulk_insert" for o in scene.downgrade)


def _moves(scene: Scene) -> Iterator[tuple[Operation, Operation]]:
    """What the upgrade drops after its values went into something that it makes."""
    made = [o for o in scene.upgrade if o.kind in _DROPS.values()]
    for drop in scene.upgrade:
        if drop.kind in _DROPS:
            for new in made:
                if _name(new) != _name(drop) and _copied(scene.upgrade, _name(drop), _name(new)):
                    yield drop, new


def _check(scene: Scene) -> Iterator[Hit]:
    if _unseen(scene):
        return
    for drop, new in _moves(scene):
        back = any(o.kind == _DROPS[drop.kind] and _name(o) == _name(drop) for o in scene.downgrade)
        gone = any(
            _DROPS.get(o.kind) == new.kind and _name(o) == _name(new) for o in scene.downgrade
        )
        if back and gone and not _copied(scene.downgrade, _name(drop), _name(new)):
            yield Hit(
                subject=drop.subject,
                evidence=f"upgrade() moves its values to {new.subject}; downgrade() drops that "
                f"and makes {drop.subject} again, empty",
                line=scene.downgrade_line,
                names={"old": drop.subject, "new": new.subject},
            )


_UP = (
    "op.add_column('users', sa.Column('full_name', sa.String(100), nullable=True))\n"
    "op.execute('UPDATE users SET full_name = first_name')\n"
    "op.drop_column('users', 'first_name')"
)
_BACK = "op.add_column('users', sa.Column('first_name', sa.String(100), nullable=True))\n"

RULE = Rule(
    id="downgrade-lossy",
    severity="WARNING",
    outcome="design",
    title="The downgrade throws away what the upgrade moved",
    why="A rollback seems to bring everything back, but what was moved is dropped with its new "
    "place, and the old one comes back empty.",
    fix="In downgrade(), make {old} again, copy the values of {new} back with an UPDATE, and only "
    "then drop {new}.",
    bad=revision(_UP, f"{_BACK}op.drop_column('users', 'full_name')"),
    good=revision(
        "op.add_column('users', sa.Column('full_name', sa.String(100), nullable=True))\n"
        "op.execute('UPDATE users SET full_name = first_name')",
        "op.execute('UPDATE users SET first_name = full_name WHERE first_name IS NULL')\n"
        "op.drop_column('users', 'full_name')",
    ),
    check=_check,
    stages=IN_A_FILE,
)
