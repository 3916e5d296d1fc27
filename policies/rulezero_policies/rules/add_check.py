"""A condition asked of rows that are already there."""

import re
from collections.abc import Iterator

from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_WORD = re.compile(r"'[^']*'|(?P<word>[A-Za-z_]\w*)(?!\w|\s*\()")
_KEYWORDS = frozenset(
    {"and", "or", "not", "between", "in", "like", "true", "false", "any", "array"}
)


def _only_nulls(step: Step, expression: str) -> bool:
    """Whether it reads nothing but new columns that hold only NULL, which no check refuses."""
    words = {m["word"].lower() for m in _WORD.finditer(expression) if m["word"]} - _KEYWORDS
    return bool(words) and words <= {c.lower() for c in step.empty}


def _verb(scene: Scene, name: str | None) -> str:
    dropped = (o.constraint for o in scene.upgrade if o.kind == "drop_constraint")
    return "changed" if any(d and d.name == name for d in dropped) else "added"


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_constraint"):
        constraint = step.operation.constraint
        if constraint is None or constraint.kind != "check":
            continue
        expression = constraint.expression or ""
        if not _only_nulls(step, expression):
            verb = _verb(scene, constraint.name)
            name = constraint.name or "(unnamed)"
            evidence = f"check {name} ({expression}) is {verb} over existing rows"
            yield by_rows(scene, step, evidence)


RULE = Rule(
    id="add-check",
    severity="WARNING",
    outcome="may_fail",
    title="A CHECK is added or changed over existing data",
    why="It fails on the first row that breaks the condition, and locks the table while it checks.",
    fix="Look for rows of {subject} that break the condition and correct them in a revision "
    "before. On PostgreSQL create it with postgresql_not_valid=True and validate it afterwards.",
    bad=revision(
        "op.create_check_constraint('ck_orders_amount', 'orders', 'amount > 0')",
        "op.drop_constraint('ck_orders_amount', 'orders', type_='check')",
    ),
    good=revision(
        "op.add_column('orders', sa.Column('discount', sa.Integer(), nullable=True))\n"
        "op.create_check_constraint('ck_orders_discount', 'orders', 'discount >= 0')",
        "op.drop_constraint('ck_orders_discount', 'orders', type_='check')\n"
        "op.drop_column('orders', 'discount')",
    ),
    check=_check,
)
