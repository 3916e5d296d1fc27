"""A condition asked of rows that are already there."""

import re
from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Constraint
from rulezero_policies.rules import restored
from rulezero_policies.rules.facts import by_rows, by_violations, is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_WORD = re.compile(r"'[^']*'|(?P<word>[A-Za-z_]\w*)(?!\w|\s*\()")
_KEYWORDS = frozenset(
    {"and", "or", "not", "between", "in", "like", "true", "false", "any", "array"}
)


def _words(expression: str) -> set[str]:
    """The names in a condition."""
    words = (m["word"] for m in _WORD.finditer(expression) if m["word"])
    return {w for w in words if w.lower() not in _KEYWORDS}


def _only_nulls(step: Step, expression: str) -> bool:
    """Whether it reads nothing but new columns that hold only NULL, which no check refuses."""
    words = {w.lower() for w in _words(expression)}
    return bool(words) and words <= {c.lower() for c in step.empty}


def _verb(scene: Scene, name: str | None) -> str:
    dropped = (o.constraint for o in scene.upgrade if o.kind == "drop_constraint")
    return "changed" if any(d and d.name == name for d in dropped) else "added"


def _judged(scene: Scene, step: Step, constraint: Constraint, expression: str) -> Hit | None:
    verb = _verb(scene, constraint.name)
    evidence = f"check {constraint.name or '(unnamed)'} ({expression}) is {verb} over existing rows"
    fact = scene.fact(asks.violations(step, expression))
    if fact is None or fact.count is None:
        rows = scene.fact(step.rows)
        return None if is_empty(rows) else by_rows(scene, step, evidence)
    columns = tuple(sorted(_words(expression)))
    return by_violations(step, fact, evidence=evidence, what="rows that break it", columns=columns)


_VALUES = re.compile(
    r"\(*\s*\"?(?P<column>\w+)\"?\)?(?:::[\w ]+)?\s*"
    r"(?:=\s*ANY\s*\(+\s*ARRAY\s*\[(?P<array>[^\[\]]*)\]|IN\s*\((?P<list>[^()]*)\))"
    r"(?:::[\w \[\]]+|[\s()])*",
    re.IGNORECASE,
)


def _values(expression: str) -> tuple[str, frozenset[str]] | None:
    """The column and the values of a condition that is no more than a list of values."""
    found = _VALUES.fullmatch(expression.strip())
    if found is None:
        return None
    listed = (found["array"] or found["list"] or "").split(",")
    return found["column"], frozenset(v.partition("::")[0].strip().strip("()") for v in listed)


def _widens(scene: Scene, constraint: Constraint, expression: str) -> bool:
    """Whether it takes the place of one that let fewer of the same values through."""
    new = _values(expression)
    drops = (o for o in scene.upgrade if o.kind == "drop_constraint" and o.constraint)
    known = (restored.constraint(scene, o) for o in drops)
    olds = (_values(c.expression or "") for c in known if c.name == constraint.name is not None)
    return new is not None and any(
        old is not None and old[0] == new[0] and old[1] <= new[1] for old in olds
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_constraint"):
        constraint = step.operation.constraint
        if constraint is None or constraint.kind != "check" or constraint.not_valid:
            continue
        expression = constraint.expression or ""
        if _only_nulls(step, expression) or _widens(scene, constraint, expression):
            continue
        if hit := _judged(scene, step, constraint, expression):
            yield hit


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
