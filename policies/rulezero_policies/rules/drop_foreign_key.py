"""A foreign key is removed."""

from collections.abc import Iterator

from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules import restored
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def is_foreign_key(known: Constraint) -> bool:
    """Whether a dropped constraint is a foreign key, by its kind or else by its name."""
    name = (known.name or "").lower()
    named = name.startswith("fk_") or name.endswith(("_fk", "_fkey")) or "_ibfk_" in name
    return known.kind == "foreign_key" or (known.kind == "unknown" and named)


def lost(scene: Scene) -> Iterator[tuple[Operation, Constraint]]:
    """The constraints that the upgrade drops for good while their table and columns stay."""
    for step in scene.of("drop_constraint"):
        known = restored.constraint(scene, step.operation)
        gone = restored.goes_with(scene, step.operation, known.columns)
        if not gone and not restored.remade(scene, step.operation, known):
            yield step.operation, known


def _check(scene: Scene) -> Iterator[Hit]:
    for operation, known in lost(scene):
        if is_foreign_key(known):
            on = f" on {', '.join(known.columns)}" if known.columns else ""
            to = f" to {known.referred_table}" if known.referred_table else ""
            name = known.name or "(unnamed)"
            yield Hit(
                subject=operation.subject,
                evidence=f"foreign key {name}{on}{to} is dropped and not made again",
                line=operation.line,
                names={"name": name},
            )


RULE = Rule(
    id="drop-foreign-key",
    severity="CRITICAL",
    outcome="design",
    title="A foreign key is removed",
    why="Nothing keeps rows from pointing to what does not exist any more, and what cascaded no "
    "longer does; orphans that come in later make the key impossible to add again.",
    fix="Back up first. Keep {name} unless the application takes over its checks and cascades; to "
    "change it, drop and create it in the same revision.",
    bad=revision(
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')",
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
    ),
    good=revision(
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'], "
        "ondelete='CASCADE')",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'])",
    ),
    check=_check,
)
