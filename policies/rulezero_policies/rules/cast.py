"""A type that the database, or a value, does not convert to."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from rulezero_policies import asks
from rulezero_policies.column_types import assignable, is_text
from rulezero_policies.operations import Change
from rulezero_policies.rules.facts import FAILS, LOSES, by_violations, is_empty, is_filled
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_PLAIN = re.compile(
    r"\(*\"?\w+\"?\)*\s*::\s*[\w ]+(?:\([\d, ]+\))?|CAST\s*\(\s*\"?\w+\"?\s+AS\s+.*\)"
)


def _drops_default(scene: Scene, step: Step) -> bool:
    """Whether an earlier step of the plan takes the column's default away."""
    name = step.operation.column.name if step.operation.column else ""
    earlier = (s.operation for s in takewhile(lambda s: s is not step, scene.steps))
    return any(
        o.table == step.operation.table and o.column and o.column.name == name
        for o in earlier
        if o.change("server_default")
    )


def _refused(scene: Scene, step: Step, change: Change) -> str | None:
    """Why PostgreSQL refuses the statement, whatever the rows are."""
    if assignable(change.before or "", change.after or "") is not False:
        return None
    if change.using is None:
        return f"{change.before} cannot be cast automatically to {change.after}: it needs USING"
    known = scene.fact(asks.of_column(step, "attributes"))
    default = next((n for n in known.names if n.startswith("DEFAULT")), None) if known else None
    if default is None or _drops_default(scene, step):
        return None
    return f"the column's old {default} cannot be cast automatically to {change.after}"


def _by_values(scene: Scene, step: Step, change: Change) -> Hit | None:
    """The hit for values that are none of the new type."""
    fact = scene.fact(asks.of_column(step, "uncastable", change.after))
    plain = change.using is None or _PLAIN.fullmatch(change.using.strip())
    if not is_filled(fact) or not plain:
        return None
    lenient = scene.dialect == "sqlite" or (
        scene.dialect in asks.MYSQL and is_empty(scene.fact(asks.SQL_MODE))
    )
    column = (step.operation.column.name,) if step.operation.column else ()
    return by_violations(
        step,
        fact,
        evidence=f"from {change.before} to {change.after}",
        what=f"values that are no {change.after}",
        columns=column,
        certain=LOSES if lenient else FAILS,
    )


def judged(scene: Scene, step: Step, change: Change) -> Iterator[Hit]:
    """What is said of one change of type."""
    if not change.before or step.new_column or asks.new_labels(step, change):
        return
    # A model diff has no USING yet: whoever writes the revision may give one.
    written = scene.dialect == "postgresql" and scene.stage != "models"
    refused = _refused(scene, step, change) if written else None
    if refused:
        yield Hit(
            subject=step.operation.subject,
            evidence=refused,
            line=step.operation.line,
            outcome="will_fail",
            names=_names(step, change),
        )
    elif is_text(change.before) and (hit := _by_values(scene, step, change)):
        yield replace(hit, names=_names(step, change))


def _names(step: Step, change: Change) -> dict[str, str]:
    column = step.operation.column.name if step.operation.column else ""
    return {"column": column, "type": (change.after or "").lower()}


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if change is not None:
            yield from judged(scene, step, change)


RULE = Rule(
    id="cast",
    severity="CRITICAL",
    outcome="may_fail",
    title="A column is changed to a type that does not convert",
    why="PostgreSQL casts by itself only where an assignment would, even in an empty table, and an "
    "old default has to convert as well; the first value that is none of the new type ends the "
    "statement. SQLite and a MySQL that is not strict turn such values into 0.",
    fix="Back up first. Correct the values of {subject} in a revision before, drop the old "
    "default, and pass postgresql_using='{column}::{type}'.",
    bad=revision(
        "op.alter_column('orders', 'amount', existing_type=sa.String(20), type_=sa.Integer())",
        "op.alter_column('orders', 'amount', existing_type=sa.Integer(), type_=sa.String(20))",
    ),
    good=revision(
        "op.add_column('orders', sa.Column('amount_number', sa.Integer(), nullable=True))\n"
        "op.execute('UPDATE orders SET amount_number = CAST(amount AS INTEGER)')",
        "op.drop_column('orders', 'amount_number')",
    ),
    check=_check,
    source="pg_cast of PostgreSQL 18; run on PostgreSQL 18, MariaDB 10.11, SQLite 3.40",
)
