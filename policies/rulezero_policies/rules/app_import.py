"""A revision that imports the application."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for module, line in scene.app_imports:
        evidence = f"the revision imports {module} from the application"
        yield Hit(subject=module, evidence=evidence, line=line)


_ADD = "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))"
_DROP = "op.drop_column('events', 'notes')"

RULE = Rule(
    id="app-import",
    severity="WARNING",
    outcome="design",
    title="The revision imports application code",
    why="A revision has to do the same for ever; application code changes, and one day an old "
    "revision fails or does something else on a new database.",
    fix="Write into the revision what it needs of {subject}: sa.table(...) and sa.column(...) in "
    "place of models, constants in place of imports.",
    bad=revision(_ADD, _DROP, head="from app.models import Event\n"),
    good=revision(_ADD, _DROP),
    check=_check,
    stages=IN_A_FILE,
)
