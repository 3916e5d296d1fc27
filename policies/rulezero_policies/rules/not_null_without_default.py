"""A NOT NULL column that gives the existing rows no value."""

from collections.abc import Iterator

from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import demands_value

MYSQL = frozenset({"mysql", "mariadb"})


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect in MYSQL:
        return
    for step in scene.of("add_column"):
        column = step.operation.column
        if column and demands_value(column):
            python = "; the Python-side default= is not seen by the database"
            evidence = f"NOT NULL {column.type} without server default"
            yield by_rows(
                scene,
                step,
                evidence + python * column.python_default,
                filled=("CRITICAL", "will_fail"),
            )


RULE = Rule(
    id="not-null-without-default",
    severity="CRITICAL",
    outcome="may_fail",
    title="NOT NULL column added without a server default",
    why="Every existing row needs a value for the new column, and the database has none to give: "
    "the statement fails as soon as the table holds one row.",
    fix="Give {table}.{column} a server_default in op.add_column (it can be dropped in a later "
    "revision), or add it with nullable=True, backfill it with an UPDATE, then "
    "op.alter_column({table!r}, {column!r}, nullable=False).",
    bad=revision(
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=False))",
        "op.drop_column('tasks', 'priority')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=False, "
        "server_default=sa.text(\"'medium'\")))",
        "op.drop_column('tasks', 'priority')",
    ),
    check=_check,
    databases=("postgresql", "sqlite"),
)
