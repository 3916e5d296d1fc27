"""A column or table that running code knows by its old name."""

from collections.abc import Iterator

from rulezero_policies.archives import is_archive
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("name")
        if change and change.after != change.before and not step.new_column:
            evidence = f"the column is renamed to {change.after}"
            yield Hit(subject=step.operation.subject, evidence=evidence, line=step.operation.line)
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
