"""What SQLite's ALTER TABLE cannot do."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import AS_WRITTEN, SQLITE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _cannot(operation: Operation) -> str | None:
    """What is asked for, where SQLite has no statement for it."""
    match operation.kind:
        case "create_constraint" | "drop_constraint":
            kind = operation.constraint.kind.replace("_", " ") if operation.constraint else ""
            return f"{operation.kind.partition('_')[0]} a {kind} constraint"
        case "alter_column":
            changed = [c.attribute for c in operation.changes if c.attribute not in _HARMLESS]
            return f"change {', '.join(changed)} of a column" if changed else None
        case _:
            return None


_HARMLESS = frozenset({"name", "comment"})
"""SQLite renames a column, and alembic leaves comments out there."""


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "sqlite":
        return
    down = scene.downgrade if scene.stage == "revision" else ()
    for function, operations in (("upgrade", scene.upgrade), ("downgrade", down)):
        for operation in operations:
            asked = None if operation.batch else _cannot(operation)
            if asked:
                yield Hit(
                    subject=operation.subject,
                    evidence=f"SQLite has no ALTER that could {asked}, in {function}()",
                    line=operation.line,
                    names={"table": operation.qualified},
                )


RULE = Rule(
    id="sqlite-no-alter",
    severity="CRITICAL",
    outcome="will_fail",
    title="SQLite cannot alter a column or a constraint",
    why="SQLite's ALTER TABLE renames, adds and drops columns, and nothing else: the statement is "
    "a syntax error, and for constraints alembic refuses to write one.",
    fix="Put it in a batch block, which copies the table: with "
    "op.batch_alter_table({table!r}) as batch_op: batch_op.alter_column(...).",
    bad=revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(50), nullable=True)",
        "op.alter_column('tasks', 'title', existing_type=sa.String(50), nullable=True)",
    ),
    good=revision(
        "with op.batch_alter_table('tasks') as batch_op:\n"
        "    batch_op.alter_column('title', existing_type=sa.String(50), server_default='x')",
        "with op.batch_alter_table('tasks') as batch_op:\n"
        "    batch_op.alter_column('title', existing_type=sa.String(50), "
        "existing_server_default='x', server_default=None)",
    ),
    check=_check,
    stages=AS_WRITTEN,
    dialect="sqlite",
    databases=SQLITE,
    source="https://www.sqlite.org/lang_altertable.html; run on SQLite 3.40",
)
