"""A VARCHAR for which MySQL wants a length."""

import re
from collections.abc import Iterator

from rulezero_policies.asks import MYSQL
from rulezero_policies.operations import Column, Operation
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene

_BARE = re.compile(r"(?:VARCHAR|NVARCHAR|String|Unicode|AutoString)(?:\(\))?")


def _columns(operation: Operation) -> Iterator[tuple[str, str]]:
    """The columns whose type is written, with that type."""
    columns: tuple[Column, ...] = operation.columns if operation.kind == "create_table" else ()
    if operation.kind == "add_column" and operation.column:
        columns = (operation.column,)
    yield from ((c.name, c.type) for c in columns)
    change = operation.change("type")
    if change and operation.column:
        yield operation.column.name, change.after or ""


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade if scene.dialect in MYSQL else ():
        for name, type_ in _columns(operation):
            if _BARE.fullmatch(type_):
                yield Hit(
                    subject=f"{operation.qualified}.{name}",
                    evidence=f"{type_} has no length",
                    line=operation.line,
                )


RULE = Rule(
    id="varchar-without-length",
    severity="CRITICAL",
    outcome="will_fail",
    title="A VARCHAR without a length",
    why="MySQL and MariaDB have no VARCHAR without a length, and SQLAlchemy refuses to write one.",
    fix="Give {subject} a length, sa.String(255), or make it sa.Text().",
    bad=revision(
        "op.add_column('users', sa.Column('nick', sa.String(), nullable=True))",
        "op.drop_column('users', 'nick')",
    ),
    good=revision(
        "op.add_column('users', sa.Column('nick', sa.String(50), nullable=True))",
        "op.drop_column('users', 'nick')",
    ),
    check=_check,
    dialect="mysql",
    databases=MYSQL_ONLY,
    source="https://docs.sqlalchemy.org/en/latest/core/type_basics.html; run on MariaDB 10.11",
)
