"""A column and its data are deleted."""

from collections.abc import Iterator

from rulezero_policies.findings import Fact
from rulezero_policies.rules.archived import archive_of
from rulezero_policies.rules.copied import Copy, copies
from rulezero_policies.rules.facts import is_empty, names
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def values_words(fact: Fact | None, name: str) -> str:
    """How many values a column holds."""
    if fact is None or fact.count is None:
        return f"the values in {name} could not be counted"
    if fact.count == 0:
        return f"{name} holds no value, it is empty now"
    if (fact.count, fact.at_least) == (1, False):
        return f"1 value in {name} is deleted"
    return f"{fact.amount} values in {name} are deleted"


def hit(scene: Scene, step: Step) -> Hit:
    """The hit for one dropped column, by what it holds."""
    fact = scene.fact(step.values)
    empty = is_empty(fact)
    copied = tuple(copies(scene, step))
    archive = archive_of(scene, step)
    kept = archive is not None or any(c.whole for c in copied)
    archived = f"; all of them are archived in {archive} before" if archive else ""
    return Hit(
        subject=step.operation.subject,
        evidence=values_words(fact, step.operation.subject) + _copied_words(copied) + archived,
        line=step.operation.line,
        severity="WARNING" if empty else None,
        outcome="design" if empty or kept else None,
        names=names(step.operation),
    )


def _copied_words(copied: tuple[Copy, ...]) -> str:
    """Where the values went before."""
    to = ", ".join(dict.fromkeys(c.column for c in copied))
    whole = "all of them are" if any(c.whole for c in copied) else "what an UPDATE made of them is"
    return f"; {whole} in {to} before" if to else ""


def _check(scene: Scene) -> Iterator[Hit]:
    yield from (hit(scene, s) for s in scene.of("drop_column") if not s.new_column)


RULE = Rule(
    id="drop-column",
    severity="CRITICAL",
    outcome="loses_data",
    title="A column is dropped",
    why="The data in it is gone at once; a downgrade can bring back the column, never its values. "
    "Code that still reads the column breaks.",
    fix="Back up first. Stop reading and writing {subject}, deploy that, and drop the column in a "
    "later revision; until then let it be (op.alter_column({table!r}, {column!r}, nullable=True)).",
    bad=revision(
        "op.drop_column('users', 'deprecated_field')",
        "op.add_column('users', sa.Column('deprecated_field', sa.String(50), nullable=True))",
    ),
    good=revision(
        "op.alter_column('users', 'deprecated_field', existing_type=sa.String(50), "
        "existing_nullable=False, server_default='')",
        "op.alter_column('users', 'deprecated_field', existing_type=sa.String(50), "
        "existing_nullable=False, existing_server_default='', server_default=None)",
    ),
    check=_check,
)
