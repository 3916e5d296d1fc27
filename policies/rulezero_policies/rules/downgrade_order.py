"""A downgrade that drops things in an order in which that cannot work."""

from collections.abc import Iterator

from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules.references import foreign_keys, referred, too_early
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Place

_Steps = tuple[Operation, ...]
_Belonging = tuple[str, Place, tuple[str, ...]]
"""What a thing is called, its table and its columns."""


def _place(operation: Operation) -> Place:
    return (operation.schema, operation.table or "")


def _belonging(scene: Scene, drop: Operation) -> _Belonging | None:
    """What the dropped index or constraint is, by the upgrade that made it."""
    if drop.kind == "drop_index" and drop.index:
        return _index(scene, drop, drop.index.name)
    if drop.kind == "drop_constraint" and drop.constraint:
        return _constraint(scene, drop, drop.constraint)
    return None


def _index(scene: Scene, drop: Operation, name: str | None) -> _Belonging:
    for made in scene.upgrade:
        if made.kind == "create_index" and made.index and made.index.name == name:
            return f"index {name}", _place(made), made.index.columns
    return f"index {name}", _place(drop), drop.index.columns if drop.index else ()


def _constraint(scene: Scene, drop: Operation, dropped: Constraint) -> _Belonging:
    on_table = (o for o in scene.upgrade if _place(o) == _place(drop))
    made = (c for o in on_table for c in created_constraints(o) if c.name == dropped.name)
    known = next(made, dropped)
    word = "foreign key" if known.kind == "foreign_key" else "constraint"
    return f"{word} {known.name or '(unnamed)'}", _place(drop), known.columns


def _too_late(scene: Scene, drop: Operation, before: _Steps) -> str | None:
    """Whether what it belongs to is gone by then, and it with it."""
    belonging = _belonging(scene, drop)
    if belonging is None:
        return None
    thing, home, columns = belonging
    if home in _dropped_tables(before):
        return f"{thing} is dropped after its table {home[1]}"
    gone = [c for c in columns if (home, c) in _dropped_columns(before)]
    return f"{thing} is dropped after its column {home[1]}.{gone[0]}" if gone else None


def _parent_first(scene: Scene, drop: Operation, before: _Steps) -> str | None:
    """Whether a table is dropped while another one still refers to it."""
    if drop.kind != "drop_table":
        return None
    for child, key in foreign_keys(scene.upgrade):
        other = referred(key) == _place(drop) != _place(child)
        if other and not _released(_place(child), key, before):
            return f"foreign key of {child.table} still refers to {drop.table} when it is dropped"
    return None


def _released(child: Place, key: Constraint, before: _Steps) -> bool:
    """Whether the referring table, column or key has been dropped by then."""
    dropped = [o.constraint for o in before if o.kind == "drop_constraint" and _place(o) == child]
    names = {c.name for c in dropped if c}
    return (
        child in _dropped_tables(before)
        or any((child, c) in _dropped_columns(before) for c in key.columns)
        or key.name in names
        or (bool(names) and (key.name is None or None in names))
    )


def _dropped_tables(steps: _Steps) -> set[Place]:
    return {_place(o) for o in steps if o.kind == "drop_table"}


def _dropped_columns(steps: _Steps) -> set[tuple[Place, str]]:
    return {(_place(o), o.column.name) for o in steps if o.kind == "drop_column" and o.column}


def _check(scene: Scene) -> Iterator[Hit]:
    lenient = scene.dialect == "sqlite"
    for number, drop in enumerate(scene.downgrade):
        before = scene.downgrade[:number]
        if late := _too_late(scene, drop, before):
            yield Hit(subject=drop.subject, evidence=late, line=drop.line)
        elif first := _parent_first(scene, drop, before):
            severity, outcome = ("WARNING", "may_fail") if lenient else (None, None)
            yield Hit(
                subject=drop.subject,
                evidence=first,
                line=drop.line,
                severity=severity,
                outcome=outcome,
            )
    for operation, key in too_early(scene.downgrade):
        evidence = f"foreign key to {key.referred_table}, which is only created by a later step"
        yield Hit(subject=operation.subject, evidence=evidence, line=operation.line)


RULE = Rule(
    id="downgrade-order",
    severity="CRITICAL",
    outcome="will_fail",
    title="The downgrade drops in the wrong order",
    why="Dropping a column or table takes its indexes and constraints with it, so dropping those "
    "afterwards fails; a table that another one refers to cannot be dropped. The rollback stops "
    "half-way.",
    fix="In downgrade(), undo the steps of upgrade() last step first: indexes and constraints "
    "before their columns, tables that refer before those they refer to ({subject}).",
    bad=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_events_notes', 'events', ['notes'])",
        "op.drop_column('events', 'notes')\nop.drop_index('ix_events_notes', table_name='events')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_events_notes', 'events', ['notes'])",
        "op.drop_index('ix_events_notes', table_name='events')\nop.drop_column('events', 'notes')",
    ),
    check=_check,
    stages=IN_A_FILE,
)
