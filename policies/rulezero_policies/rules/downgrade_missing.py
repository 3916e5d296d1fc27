"""A revision without one of its two functions."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    if not scene.has_upgrade:
        yield Hit(subject="upgrade()", evidence="the revision has no upgrade() function")
    if not scene.has_downgrade:
        yield Hit(subject="downgrade()", evidence="the revision has no downgrade() function")


_ADD = "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))"

RULE = Rule(
    id="downgrade-missing",
    severity="WARNING",
    outcome="design",
    title="upgrade() or downgrade() is missing",
    why="Without downgrade() there is no way back: Alembic stops with an error when asked for one.",
    fix="Write {subject}; where there really is no way back, let it raise with the reason.",
    bad=revision(_ADD, "").partition("def downgrade")[0].rstrip() + "\n",
    good=revision(_ADD, "op.drop_column('events', 'notes')"),
    check=_check,
    stages=IN_A_FILE,
)
