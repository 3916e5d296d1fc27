"""A drop and an add that look like one rename."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.renames import BAR, column_score
from rulezero_policies.rules import restored
from rulezero_policies.rules.copied import copies
from rulezero_policies.rules.drop_column import hit
from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.references import foreign_keys
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def candidates(scene: Scene, drop: Operation) -> tuple[str, ...]:
    """The added columns of the same table that the dropped one may have been renamed to."""
    before = restored.column(scene, drop)
    added = (
        s.operation.column
        for s in scene.of("add_column")
        if (s.operation.schema, s.operation.table) == (drop.schema, drop.table)
    )
    return tuple(c.name for c in added if c and before and column_score(before, c) >= BAR)


def _renamed(scene: Scene, step: Step) -> tuple[str, ...]:
    """The candidates; none where an UPDATE took the values over into one: that is no oversight."""
    found = candidates(scene, step.operation)
    taken = {copy.column for copy in copies(scene, step)}
    if taken & set(found):
        return ()
    return tuple(
        c for c in found if not (_takes_name(scene, step, c) or _is_new_key(scene, step, c))
    )


def _is_new_key(scene: Scene, drop: Step, new: str) -> bool:
    """Whether the added column refers to another table, where the dropped one did not."""
    table = drop.operation.table
    made = any(o.table == table and new in key.columns for o, key in foreign_keys(scene.upgrade))
    lost = any(s.operation.table == table for s in scene.of("drop_constraint"))
    old = drop.operation.column.name if drop.operation.column else ""
    return made and not lost and not old.endswith("_id")


def _takes_name(scene: Scene, drop: Step, new: str) -> bool:
    """Whether the added column gets the dropped one's name: it was made to take its place."""
    operation = drop.operation
    renames = (
        s.operation.change("name")
        for s in scene.of("alter_column")
        if s.operation.table == operation.table
        and s.operation.column
        and s.operation.column.name == new
    )
    old = operation.column.name if operation.column else ""
    return any(change is not None and change.after == old for change in renames)


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("drop_column"):
        renamed = () if step.new_column else _renamed(scene, step)
        if renamed:
            found = hit(scene, step)
            seen = f"dropped here while {' and '.join(renamed)} is added to the same table"
            yield Hit(
                subject=found.subject,
                evidence=f"{seen}; {found.evidence}",
                line=found.line,
                severity=found.severity,
                outcome=found.outcome,
                names={**found.names, "new": renamed[0], "paste": _column(step, renamed[0])},
            )
    yield from _tables(scene)


def _column(step: Step, new: str) -> str:
    table, column = step.operation.table, step.operation.column
    return f"op.alter_column({table!r}, {column.name if column else ''!r}, new_column_name={new!r})"


def _tables(scene: Scene) -> Iterator[Hit]:
    created = tuple(s.operation for s in scene.steps if s.operation.kind == "create_table")
    for step in scene.of("drop_table"):
        before = {c.name for c in restored.table_columns(scene, step.operation)}
        for new in created:
            after = {c.name for c in new.columns}
            if new.qualified != step.operation.qualified and _alike(before, after):
                evidence = f"dropped here while {new.qualified} is created with the same columns"
                found = by_rows(scene, step, evidence, empty=("WARNING", "design"))
                yield Hit(
                    subject=found.subject,
                    evidence=found.evidence,
                    line=found.line,
                    severity=found.severity,
                    outcome=found.outcome,
                    names={
                        **found.names,
                        "new": new.qualified,
                        "paste": f"op.rename_table({step.operation.table!r}, {new.table!r})",
                    },
                )


def _alike(one: set[str], other: set[str]) -> bool:
    """More than two columns, and most of them by the same names."""
    return len(one & other) > 2 and len(one & other) >= 0.7 * len(one | other)


RULE = Rule(
    id="rename-as-drop-add",
    severity="CRITICAL",
    outcome="loses_data",
    title="A drop and an add look like a rename",
    why="Autogenerate cannot see a rename: it drops the old name with its data and adds the new "
    "one empty.",
    fix="If {subject} is to be called {new}, rename it instead: {paste}. If old code still runs "
    "meanwhile, add the new name, copy the values, and drop the old one later.",
    bad=revision(
        "op.add_column('users', sa.Column('full_name', sa.String(100), nullable=True))\n"
        "op.drop_column('users', 'name')",
        "op.add_column('users', sa.Column('name', sa.String(100), nullable=True))\n"
        "op.drop_column('users', 'full_name')",
    ),
    good=revision(
        "op.add_column('users', sa.Column('full_name', sa.String(100), nullable=True))\n"
        "op.execute('UPDATE users SET full_name = name')",
        "op.drop_column('users', 'full_name')",
    ),
    check=_check,
    stages=FORWARD,
)
