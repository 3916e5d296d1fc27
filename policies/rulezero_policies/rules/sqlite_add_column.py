"""What SQLite's ADD COLUMN refuses."""

import re
from collections.abc import Iterator

from rulezero_policies.operations import Column
from rulezero_policies.rules.facts import FAILS, by_rows, is_empty
from rulezero_policies.rules.rule import AS_WRITTEN, SQLITE, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step, has_default

_CONSTANT = re.compile(
    r"[-+]?\d+(?:\.\d*)?|'(?:[^']|'')*'|\"[^\"]*\"|true|false|null|x'[0-9a-f]*'", re.IGNORECASE
)


def constant(default: str | None) -> bool:
    """Whether a default is a literal, as SQLite sees it."""
    return default is None or _CONSTANT.fullmatch(default.strip()) is not None


def _never(column: Column) -> str | None:
    """What SQLite refuses whatever the table holds."""
    if column.primary_key:
        return "a PRIMARY KEY column cannot be added"
    return "a STORED column cannot be added" if column.generation == "stored" else None


def _refers(scene: Scene, step: Step, name: str) -> bool:
    keys = (o.constraint for o in scene.upgrade if o.kind == "create_constraint")
    place = step.operation.table
    made = (k for k in keys if k and k.kind == "foreign_key" and place)
    return any(name in k.columns for k in made)


def _with_rows(scene: Scene, step: Step, column: Column) -> str | None:
    """What SQLite refuses as soon as the table holds a row."""
    if not constant(column.server_default):
        return f"the default {column.server_default} is no constant"
    if has_default(column) and _refers(scene, step, column.name):
        return "a foreign-key column cannot be added with a default"
    return None


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "sqlite":
        return
    for step in scene.steps:
        operation, column = step.operation, step.operation.column
        if operation.kind != "add_column" or column is None or operation.recreates:
            continue
        if refused := _never(column):
            yield Hit(subject=operation.subject, evidence=refused, line=operation.line)
        elif step.new_table or is_empty(scene.fact(step.rows)):
            continue
        elif refused := _with_rows(scene, step, column):
            yield by_rows(scene, step, refused, filled=FAILS)


RULE = Rule(
    id="sqlite-add-column",
    severity="CRITICAL",
    outcome="will_fail",
    title="SQLite cannot add such a column",
    why="SQLite adds a column without touching the rows, so it takes no primary key, no stored "
    "column, and for a table with rows no default that would have to be computed.",
    fix="Put it in a batch block with recreate='always', or add {subject} with nullable=True and "
    "without the default, and fill it with an UPDATE.",
    bad=revision(
        "op.add_column('tasks', sa.Column('made', sa.DateTime(), "
        "server_default=sa.text('(CURRENT_TIMESTAMP)')))",
        "op.drop_column('tasks', 'made')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('made', sa.DateTime(timezone=True), nullable=True))\n"
        "op.execute('UPDATE tasks SET made = CURRENT_TIMESTAMP WHERE made IS NULL')",
        "op.drop_column('tasks', 'made')",
    ),
    check=_check,
    stages=AS_WRITTEN,
    dialect="sqlite",
    databases=SQLITE,
    source="https://www.sqlite.org/lang_altertable.html; run on SQLite 3.40",
)
