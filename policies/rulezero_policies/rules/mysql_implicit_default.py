"""A NOT NULL column for which MySQL or MariaDB makes values up."""

from collections.abc import Iterator

from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.not_null_without_default import MYSQL
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import demands_value


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect not in MYSQL:
        return
    for step in scene.of("add_column"):
        column = step.operation.column
        if column and demands_value(column):
            evidence = f"NOT NULL {column.type} without server default: existing rows get 0 or ''"
            yield by_rows(scene, step, evidence, empty=("WARNING", "design"))


RULE = Rule(
    id="mysql-implicit-default",
    severity="CRITICAL",
    outcome="design",
    title="NOT NULL column for which the database invents values",
    why="MySQL and MariaDB do not refuse a NOT NULL column without a default: they succeed and "
    "give every existing row 0, '' or a zero date, which nobody chose.",
    fix="Give {table}.{column} a server_default with the value that existing rows should have, or "
    "add it with nullable=True, backfill it, then set NOT NULL.",
    bad=revision(
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=False))",
        "op.drop_column('tasks', 'priority')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=False, "
        "server_default='medium'))",
        "op.drop_column('tasks', 'priority')",
    ),
    check=_check,
    databases=MYSQL_ONLY,
    dialect="mysql",
)
