"""A downgrade that does nothing after an upgrade that does something."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    idle = scene.downgrade_is_empty or not (scene.downgrade or scene.downgrade_error)
    if scene.has_downgrade and scene.upgrade and idle:
        count = len(scene.upgrade)
        evidence = f"downgrade() does nothing; upgrade() takes {count} step{'s' * (count > 1)}"
        yield Hit(subject="downgrade()", evidence=evidence, line=scene.downgrade_line)


_ADD = "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))"

RULE = Rule(
    id="downgrade-pass",
    severity="WARNING",
    outcome="design",
    title="The downgrade does nothing",
    why="A rollback would seem to work: the revision number goes back and the schema does not, "
    "and the next upgrade fails on what is still there.",
    fix="Reverse every step of upgrade() in {subject}, last step first; where there really is no "
    "way back, let it raise with the reason.",
    bad=revision(_ADD, "pass"),
    good=revision(_ADD, "op.drop_column('events', 'notes')"),
    check=_check,
    stages=IN_A_FILE,
)
