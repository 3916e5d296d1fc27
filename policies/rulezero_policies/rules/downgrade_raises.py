"""A downgrade that refuses or fails."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.downgrade_error is not None:
        evidence = f"downgrade() raises {scene.downgrade_error}"
        yield Hit(subject="downgrade()", evidence=evidence, line=scene.downgrade_line)


_ADD = "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))"

RULE = Rule(
    id="downgrade-raises",
    severity="WARNING",
    outcome="design",
    title="The downgrade raises an error",
    why="There is no way back but a backup.",
    fix="Reverse every step of upgrade() in {subject}; if there really is no way back, have a "
    "backup and a plan for restoring it before applying.",
    bad=revision(_ADD, "raise NotImplementedError('no way back')"),
    good=revision(_ADD, "op.drop_column('events', 'notes')"),
    check=_check,
    stages=IN_A_FILE,
)
