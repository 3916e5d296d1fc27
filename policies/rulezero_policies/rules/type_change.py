"""A column gets another type."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.column_types import shifts_zone
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.operations import Change
from rulezero_policies.rules import cast
from rulezero_policies.rules.facts import by_rows, is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step
from rulezero_policies.thresholds import SMALL_TABLE_ROWS

_STORED_ANEW = ", but the whole table may be rewritten under an exclusive lock"


def _told_elsewhere(scene: Scene, step: Step, change: Change) -> bool:
    """Whether a rule that knows more about this change of type speaks of it."""
    pair = (change.before or "").upper(), (change.after or "").upper()
    if asks.new_labels(step, change) or pair == ("JSON", "JSONB"):
        return True
    zones = bool(change.before) and shifts_zone(change.before or "", change.after or "")
    return (scene.dialect == "postgresql" and zones) or any(cast.judged(scene, step, change))


def _changed(scene: Scene, step: Step, change: Change, words: str) -> Hit:
    fact = scene.fact(asks.of_column(step, "uncastable", change.after))
    if is_empty(fact):
        safe: tuple[Severity, Outcome] = ("CRITICAL", "design")
        return by_rows(scene, step, f"{words}; every value converts", filled=safe)
    return by_rows(scene, step, words)


def _stored_anew(scene: Scene, step: Step, words: str) -> Hit:
    rows = scene.fact(step.rows)
    small = rows is not None and rows.count is not None and rows.count < SMALL_TABLE_ROWS
    kept: tuple[Severity, Outcome] = ("WARNING", "design" if small else "blocks")
    evidence = f"{words}; every value is kept{'' if small else _STORED_ANEW}"
    return by_rows(scene, step, evidence, unknown=kept, filled=kept, empty=kept)


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if change is None or step.new_column or _told_elsewhere(scene, step, change):
            continue
        how = asks.comparison(change)
        words = f"from {change.before or 'a type that is not stated'} to {change.after}"
        if how == "lossless":
            yield _stored_anew(scene, step, words)
        elif how == "changed":
            yield _changed(scene, step, change, words)


RULE = Rule(
    id="type-change",
    severity="CRITICAL",
    outcome="may_fail",
    title="A column's type is changed",
    why="Values may not convert, or convert to something else; the whole table may be rewritten "
    "under an exclusive lock meanwhile.",
    fix="Back up first. Add a column of the new type beside {subject}, copy the data into it with "
    "a conversion, verify it, switch the code, and drop the old column in a later revision.",
    bad=revision(
        "op.alter_column('orders', 'amount', existing_type=sa.String(20), type_=sa.Integer(), "
        "postgresql_using='amount::integer')",
        "op.alter_column('orders', 'amount', existing_type=sa.Integer(), type_=sa.String(20))",
    ),
    good=revision(
        "op.add_column('orders', sa.Column('amount_number', sa.Integer(), nullable=True))\n"
        "op.execute('UPDATE orders SET amount_number = CAST(amount AS INTEGER)')",
        "op.drop_column('orders', 'amount_number')",
    ),
    check=_check,
)
