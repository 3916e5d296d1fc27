"""A foreign key whose column is of another type than the column it refers to."""

import re
from collections.abc import Iterator

from rulezero_policies.column_types import compare
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules.references import foreign_keys, referred
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Place

_SERIALS = {"SMALLSERIAL": "SMALLINT", "SERIAL": "INTEGER", "BIGSERIAL": "BIGINT"}
_NUMBERS = re.compile(r"(?:TINY|SMALL|MEDIUM|BIG)?INT(?:EGER)?\b", re.IGNORECASE)
_TEXTS = re.compile(r"(?:VAR)?CHAR|TEXT|CHARACTER", re.IGNORECASE)


def _types(scene: Scene, place: Place) -> dict[str, str]:
    """The types of a table's columns, as far as the plan tells them."""
    found = dict[str, str]()
    for operation in (*scene.earlier, *scene.upgrade):
        if (operation.schema, operation.table) == place:
            columns = operation.columns if operation.kind == "create_table" else ()
            added = operation.column if operation.kind == "add_column" else None
            found |= {c.name: c.type for c in (*columns, *((added,) if added else ()))}
    return found


def _pairs(
    scene: Scene, operation: Operation, key: Constraint
) -> Iterator[tuple[str, str, str, str]]:
    ours = _types(scene, (operation.schema, operation.table or ""))
    theirs = _types(scene, referred(key))
    for mine, other in zip(key.columns, key.referred_columns, strict=False):
        if ours.get(mine) and theirs.get(other):
            yield mine, _plain(ours[mine]), other, _plain(theirs[other])


def _plain(type_: str) -> str:
    return _SERIALS.get(type_.upper(), type_)


def _judged(dialect: str, mine: str, other: str) -> tuple[Severity, Outcome] | None:
    """How bad the difference is; None where there is none that matters."""
    texts = _TEXTS.match(mine) and _TEXTS.match(other)
    if texts or compare(mine, other) == "same":
        return None
    numbers = _NUMBERS.match(mine) and _NUMBERS.match(other)
    if dialect == "sqlite" or (dialect == "postgresql" and numbers):
        return "WARNING", "design"
    sure = _known(mine) and _known(other)
    return ("CRITICAL", "will_fail") if sure else ("WARNING", "may_fail")


def _known(type_: str) -> bool:
    return bool(_NUMBERS.match(type_) or _TEXTS.match(type_))


def _check(scene: Scene) -> Iterator[Hit]:
    for operation, key in foreign_keys(scene.upgrade):
        for mine, type_, other, wanted in _pairs(scene, operation, key):
            if judged := _judged(scene.dialect, type_, wanted):
                parent = f"{key.referred_table}.{other}"
                yield Hit(
                    subject=f"{operation.qualified}.{mine}",
                    evidence=f"it is {type_} and refers to {parent}, which is {wanted}",
                    line=operation.line,
                    severity=judged[0],
                    outcome=judged[1],
                    names={"parent": parent, "wanted": wanted},
                )


def _revision(child: str) -> str:
    return revision(
        "op.create_table('users', sa.Column('id', sa.BigInteger(), nullable=False), "
        "sa.PrimaryKeyConstraint('id'))\n"
        "op.create_table('tasks', sa.Column('id', sa.Integer(), nullable=False), "
        f"sa.Column('user_id', {child}, nullable=True), sa.PrimaryKeyConstraint('id'), "
        "sa.ForeignKeyConstraint(['user_id'], ['users.id']))",
        "op.drop_table('tasks')\nop.drop_table('users')",
    )


RULE = Rule(
    id="fk-type-mismatch",
    severity="WARNING",
    outcome="design",
    title="A foreign key of another type than the key it refers to",
    why="An INTEGER that refers to a BIGINT works until the key passes 2,147,483,647; then no row "
    "can refer to it any more. PostgreSQL says nothing about it; MySQL and MariaDB refuse it.",
    fix="Make {subject} {wanted}, as {parent} is.",
    bad=_revision("sa.Integer()"),
    good=_revision("sa.BigInteger()"),
    check=_check,
    stages=FORWARD,
    source="Measured on PostgreSQL 12 to 18 and MariaDB 10.11.",
)
