"""A column gets shorter, smaller or less precise."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.asks import MYSQL
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.operations import Change
from rulezero_policies.rules.archived import archive_of_cut
from rulezero_policies.rules.facts import (
    FAILS,
    LOSES,
    by_rows,
    by_violations,
    is_empty,
    is_filled,
)
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_KEPT: tuple[Severity, Outcome] = ("CRITICAL", "design")

_EFFECTS = {
    "sqlite": "SQLite does not enforce lengths, other databases do",
    "mysql": "without strict mode values are cut off with a mere warning",
    "mariadb": "without strict mode values are cut off with a mere warning",
}


def _judged(scene: Scene, step: Step, change: Change) -> Hit | None:
    column = (step.operation.column.name,) if step.operation.column else ()
    effect = _EFFECTS.get(scene.dialect, "values that no longer fit are refused or rounded")
    evidence = f"from {change.before} to {change.after}; {effect}"
    misfits = scene.fact(asks.of_column(step, "misfits", change.after))
    rounded = scene.fact(asks.of_column(step, "rounded", change.after))
    if misfits is None or misfits.count is None:
        rows = scene.fact(step.rows)
        return None if is_empty(rows) else by_rows(scene, step, evidence)
    hit = by_violations(
        step,
        misfits,
        evidence=evidence,
        what="values that do not fit",
        columns=column,
        certain=_refused(scene),
    )
    if hit is None and is_filled(rounded) and scene.dialect != "sqlite":
        archive = archive_of_cut(scene, step, change.after or "")
        return by_violations(
            step,
            rounded,
            evidence=f"{evidence}; what changes is archived in {archive} before"
            if archive
            else evidence,
            what="values are rounded",
            columns=column,
            certain=_KEPT if archive else LOSES,
        )
    return hit


def _refused(scene: Scene) -> tuple[Severity, Outcome]:
    """What a database does with a value that does not fit."""
    if scene.dialect == "sqlite":
        return "WARNING", "design"
    mode = scene.fact(asks.SQL_MODE)
    return LOSES if scene.dialect in MYSQL and not is_filled(mode) else FAILS


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if change is None or not change.before or not change.after or step.new_column:
            continue
        if asks.comparison(change) == "narrower" and (hit := _judged(scene, step, change)):
            yield hit


RULE = Rule(
    id="narrow",
    severity="WARNING",
    outcome="may_fail",
    title="A column's length, size or precision is reduced",
    why="Values that no longer fit make the statement fail, are rounded, or are cut off, depending "
    "on the database.",
    fix="Look for values of {subject} that no longer fit before narrowing it, and correct them in "
    "their own revision; or keep the wider type.",
    bad=revision(
        "op.alter_column('users', 'email', existing_type=sa.String(255), type_=sa.String(50))",
        "op.alter_column('users', 'email', existing_type=sa.String(50), type_=sa.String(255))",
    ),
    good=revision(
        "op.alter_column('users', 'email', existing_type=sa.String(255), type_=sa.String(500))",
        "op.alter_column('users', 'email', existing_type=sa.String(500), type_=sa.String(255))",
    ),
    check=_check,
)
