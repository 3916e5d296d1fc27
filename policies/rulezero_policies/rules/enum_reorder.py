"""An enumeration keeps its labels in another order."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect not in {"mysql", "mariadb"}:
        return
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        before, after = asks.labels(change.before if change else None), ()
        if before and change and not step.new_column:
            after = asks.labels(change.after)
        kept = [label for label in before if label in after]
        if kept != [label for label in after if label in before]:
            yield Hit(
                subject=step.operation.subject,
                evidence=f"from ({', '.join(before)}) to ({', '.join(after)})",
                line=step.operation.line,
            )


RULE = Rule(
    id="enum-reorder",
    severity="WARNING",
    outcome="design",
    title="The labels of an enumeration change places",
    why="ENUM sorts and compares by the place of the label: ORDER BY, < and indexes mean something "
    "else afterwards, and the whole table is copied.",
    fix="Leave the labels of {subject} as they are and add new ones at the end.",
    bad=revision(
        "op.alter_column('tasks', 'state', existing_type=sa.Enum('low', 'high'), "
        "type_=sa.Enum('high', 'low'), existing_nullable=True, existing_server_default=None)",
        "op.alter_column('tasks', 'state', existing_type=sa.Enum('high', 'low'), "
        "type_=sa.Enum('low', 'high'), existing_nullable=True, existing_server_default=None)",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('label', sa.String(20), nullable=True))",
        "op.drop_column('tasks', 'label')",
    ),
    check=_check,
    dialect="mysql",
    databases=MYSQL_ONLY,
    source="https://dev.mysql.com/doc/refman/8.4/en/enum.html; run on MariaDB 10.11",
)
