"""A column of a type that nobody made."""

import re
from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.rules.facts import is_empty
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _made(step: Step, name: str) -> bool:
    """Whether the plan makes the type before the step, as far as its text tells."""
    made = re.compile(rf"CREATE\s+(?:TYPE|DOMAIN|EXTENSION)\b.*{re.escape(name)}", re.I | re.S)
    return any(text is None or made.search(text) for text in step.earlier)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for step in scene.steps:
        name = asks.own_type(step)
        fact = scene.fact(asks.type_exists(name)) if name else None
        if name and is_empty(fact) and not _made(step, name):
            yield Hit(
                subject=step.operation.subject,
                evidence=f"there is no type {name}, and add_column makes none",
                line=step.operation.line,
                names={"type": name},
            )


RULE = Rule(
    id="enum-add-column",
    severity="CRITICAL",
    outcome="will_fail",
    title="A column of an enum type that does not exist",
    why="op.create_table creates the type of an Enum column, op.add_column does not: PostgreSQL "
    "then knows no such type.",
    fix="Create it before {subject}: sa.Enum(..., name={type!r}).create(op.get_bind(), "
    "checkfirst=True), and drop it in downgrade().",
    bad=revision(
        "op.add_column('people', sa.Column('mood', sa.Enum('sad', 'ok', name='mood')))",
        "op.drop_column('people', 'mood')",
    ),
    good=revision(
        "op.add_column('people', sa.Column('note', sa.Text(), nullable=True))",
        "op.drop_column('people', 'note')",
    ),
    check=_check,
    live={"type_exists": (0, ())},
    databases=POSTGRESQL,
    source="run on PostgreSQL 18 with Alembic 1.20",
)
