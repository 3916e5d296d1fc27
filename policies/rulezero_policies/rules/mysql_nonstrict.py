"""A server that changes values where others refuse them."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Operation
from rulezero_policies.rules.facts import is_empty
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import becomes_not_null


def _squeezes(operation: Operation) -> bool:
    """Whether values may have to be changed to go on."""
    change = operation.change("type")
    return becomes_not_null(operation) or (
        change is not None and asks.comparison(change) in {"narrower", "changed"}
    )


def _check(scene: Scene) -> Iterator[Hit]:
    mode = scene.fact(asks.SQL_MODE)
    if scene.dialect not in asks.MYSQL or mode is None or not is_empty(mode):
        return
    shown = mode.names[0] if mode.names and mode.names[0] else "empty"
    squeezed = (s for s in scene.of("alter_column") if _squeezes(s.operation))
    for step in (s for s in squeezed if not is_empty(scene.fact(s.rows))):
        yield Hit(
            subject=step.operation.subject,
            evidence=f"sql_mode is {shown}: what does not fit is cut off or emptied",
            line=step.operation.line,
        )


RULE = Rule(
    id="mysql-nonstrict",
    severity="WARNING",
    outcome="design",
    title="The server is not strict",
    why="Without STRICT_TRANS_TABLES MySQL and MariaDB change what does not fit (a long text is "
    "cut off, NULL becomes 0 or '', a removed label '') and give a warning that nobody reads.",
    fix='Run the migration of {subject} in strict mode: op.execute("SET SESSION sql_mode = '
    "CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')\") first.",
    bad=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(99), type_=sa.String(50), "
        "existing_nullable=False, existing_server_default='x')",
        "op.alter_column('tasks', 'title', existing_type=sa.String(50), type_=sa.String(99), "
        "existing_nullable=False, existing_server_default='x')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('label', sa.String(20), nullable=True))",
        "op.drop_column('tasks', 'label')",
    ),
    check=_check,
    dialect="mysql",
    live={"sql_mode": (0, ("",))},
    databases=MYSQL_ONLY,
    source="https://mariadb.com/kb/en/sql-mode/#strict-mode; run on MariaDB 10.11",
)
