"""What MODIFY drops because the revision did not say it again."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Column, Operation
from rulezero_policies.rules.facts import names
from rulezero_policies.rules.rule import AS_WRITTEN, MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_SPELLED = frozenset({"type", "nullable", "name", "autoincrement", "comment"})
"""Changes for which alembic spells the whole column; a default alone has a statement of its own."""

_ATTRIBUTES = {
    "NOT NULL": "nullable",
    "DEFAULT": "server_default",
    "AUTO_INCREMENT": "autoincrement",
    "COMMENT": "comment",
}


def _unsaid(operation: Operation, column: Column) -> set[str]:
    """The attributes that are neither stated nor changed."""
    changed = {c.attribute for c in operation.changes}
    return set(_ATTRIBUTES.values()) - set(column.stated) - changed


def _dropped(scene: Scene, step: Step, unsaid: set[str]) -> list[str] | None:
    """What the live column has of them; None where it was not asked or is not known."""
    fact = scene.fact(asks.of_column(step, "attributes"))
    if fact is None or fact.count is None:
        return None
    return [n for n in fact.names if _ATTRIBUTES.get(_first(n)) in unsaid]


def _first(name: str) -> str:
    return "DEFAULT" if name.startswith("DEFAULT") else name


def _judged(scene: Scene, step: Step, column: Column) -> Hit | None:
    unsaid = _unsaid(step.operation, column)
    dropped = _dropped(scene, step, unsaid)
    doubtful = dropped is None and "nullable" in unsaid
    if not dropped and not doubtful:
        return None
    seen = ", ".join(dropped or ()) or "existing_nullable is not stated, so NOT NULL"
    return Hit(
        subject=step.operation.subject,
        evidence=f"MODIFY spells the column without what it has: {seen} is dropped",
        line=step.operation.line,
        severity="WARNING" if doubtful else None,
        outcome="unknown" if doubtful else None,
        names=names(step.operation),
    )


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect not in asks.MYSQL:
        return
    for step in scene.of("alter_column"):
        operation, column = step.operation, step.operation.column
        spelled = any(c.attribute in _SPELLED for c in operation.changes)
        if column is None or not spelled or operation.derived or step.new_column:
            continue
        if hit := _judged(scene, step, column):
            yield hit


RULE = Rule(
    id="mysql-modify-attrs",
    severity="CRITICAL",
    outcome="design",
    title="MODIFY drops NOT NULL or the default",
    why="MySQL has no statement for one attribute: alembic spells the whole column again, and what "
    "the revision does not state with existing_* is gone, without an error.",
    fix="State what {table}.{column} has: existing_nullable=, existing_server_default=, "
    "existing_autoincrement=, existing_comment=.",
    bad=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(50), type_=sa.String(99))",
        "op.alter_column('tasks', 'title', existing_type=sa.String(99), type_=sa.String(50))",
    ),
    good=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(50), type_=sa.String(99), "
        "existing_nullable=False, existing_server_default='x')",
        "op.alter_column('tasks', 'title', existing_type=sa.String(99), type_=sa.String(50), "
        "existing_nullable=False, existing_server_default='x')",
    ),
    check=_check,
    stages=AS_WRITTEN,
    dialect="mysql",
    databases=MYSQL_ONLY,
    source="https://alembic.sqlalchemy.org/en/latest/ops.html; run on MariaDB 10.11",
)
