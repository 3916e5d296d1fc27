"""An index is removed while its columns stay."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules import restored
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _remade(scene: Scene, drop: Operation, columns: tuple[str, ...]) -> bool:
    name = drop.index.name if drop.index else None
    made = (o.index for o in scene.upgrade if o.kind == "create_index")
    return any(
        i and (i.name == name or (columns and i.columns[: len(columns)] == columns)) for i in made
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.steps:
        drop = step.operation
        if drop.kind != "drop_index" or (drop.table and step.new_table):
            continue
        columns = restored.index_columns(scene, drop)
        if not restored.goes_with(scene, drop, columns) and not _remade(scene, drop, columns):
            name = (drop.index.name if drop.index else None) or "(unnamed)"
            on = f" on {', '.join(columns)}" if columns else ""
            evidence = f"index {name}{on} is dropped and not made again"
            subject = drop.qualified or name
            yield Hit(subject=subject, evidence=evidence, line=drop.line, names={"name": name})


RULE = Rule(
    id="drop-index",
    severity="WARNING",
    outcome="design",
    title="An index is dropped",
    why="Queries that used it read the whole table from now on; a unique index also kept "
    "duplicates out.",
    fix="Make sure that no query needs {name}; to replace it, create the new index in the same "
    "revision before dropping the old one.",
    bad=revision(
        "op.drop_index('ix_users_email', table_name='users')",
        "op.create_index('ix_users_email', 'users', ['email'])",
    ),
    good=revision(
        "op.create_index('ix_users_email_name', 'users', ['email', 'name'])\n"
        "op.drop_index('ix_users_email', table_name='users')",
        "op.create_index('ix_users_email', 'users', ['email'])\n"
        "op.drop_index('ix_users_email_name', table_name='users')",
    ),
    check=_check,
    stages=FORWARD,
)
