"""A column gets shorter, smaller or less precise."""

from collections.abc import Iterator

from rulezero_policies.rules.facts import by_rows
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.rules.types import compare
from rulezero_policies.scene import Scene

_EFFECTS = {
    "sqlite": "SQLite does not enforce lengths, other databases do",
    "mysql": "without strict mode values are cut off with a mere warning",
    "mariadb": "without strict mode values are cut off with a mere warning",
}


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if change is None or not change.before or not change.after or step.new_column:
            continue
        if compare(change.before, change.after) == "narrower":
            effect = _EFFECTS.get(scene.dialect, "values that no longer fit are refused or rounded")
            words = f"from {change.before} to {change.after}; {effect}"
            yield by_rows(scene, step, words)


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
