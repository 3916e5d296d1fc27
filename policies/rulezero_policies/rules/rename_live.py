"""A column or table that running code knows by its old name."""

from collections.abc import Iterator

from rulezero_policies.archives import is_archive
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _swapped(scene: Scene, step: Step, after: str | None) -> str | None:
    """What is said of a column whose name another one takes at once, and of that other one."""
    renamed = [s.operation for s in scene.of("alter_column") if s.operation.change("name")]
    mine = [o for o in renamed if o.qualified == step.operation.qualified]
    names = {o.column.name: o.change("name") for o in mine if o.column}
    old = step.operation.column.name if step.operation.column else ""
    taken = {change.after for change in names.values() if change}
    if old in taken:
        return f"the column is renamed to {after}, and another one takes its name at once"
    return f"the column takes the name {after} of another one" if after in names else None


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("name")
        if change and change.after != change.before and not step.new_column:
            swapped = _swapped(scene, step, change.after)
            yield Hit(
                subject=step.operation.subject,
                evidence=swapped or f"the column is renamed to {change.after}",
                line=step.operation.line,
                severity="WARNING" if swapped else None,
            )
    for step in scene.of("rename_table"):
        archived = ", its archive: to the code it is dropped" * is_archive(step.operation.name)
        evidence = f"the table is renamed to {step.operation.name}{archived}"
        yield Hit(subject=step.operation.subject, evidence=evidence, line=step.operation.line)


RULE = Rule(
    id="rename-live",
    severity="CRITICAL",
    outcome="design",
    title="A column or table is renamed",
    why="From the moment of the rename until the new code runs everywhere, whatever uses the old "
    "name fails; views, reports and raw SQL are easily forgotten.",
    fix="Back up first. With running code: add the new name beside {subject}, write to both, copy "
    "the values, switch the code, and drop the old name in a later revision. Otherwise stop the "
    "application for the rename.",
    bad=revision(
        "op.alter_column('users', 'name', new_column_name='full_name')",
        "op.alter_column('users', 'full_name', new_column_name='name')",
    ),
    good=revision(
        "op.add_column('users', sa.Column('full_name', sa.String(100), nullable=True))\n"
        "op.execute('UPDATE users SET full_name = name WHERE full_name IS NULL')",
        "op.drop_column('users', 'full_name')",
    ),
    check=_check,
)
