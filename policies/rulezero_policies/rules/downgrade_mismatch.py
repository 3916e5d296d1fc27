"""Steps of the upgrade that the downgrade does not reverse."""

from collections.abc import Iterator

from rulezero_policies.checklist import describe
from rulezero_policies.operations import Operation
from rulezero_policies.rules.reversal import left_over
from rulezero_policies.rules.rule import IN_A_FILE, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions


def _tellable(scene: Scene) -> bool:
    """Whether both directions were seen whole; the other downgrade rules speak otherwise."""
    seen = scene.upgrade_error is None and scene.downgrade_error is None
    dark = any(o.kind == "opaque" for o in (*scene.upgrade, *scene.downgrade))
    return seen and not dark and bool(scene.downgrade) and not scene.downgrade_is_empty


def _in_raw_sql(scene: Scene, operation: Operation) -> bool:
    """Whether raw SQL names what the step is about, and so may well reverse it."""
    texts = [o.sql or "" for o in (*scene.upgrade, *scene.downgrade) if o.kind == "execute"]
    return any(mentions(text, _name(operation)) for text in texts)


def _name(operation: Operation) -> str:
    parts = (operation.column, operation.index, operation.constraint)
    named = [part.name for part in parts if part is not None and part.name]
    return named[0] if named else operation.table or ""


def _check(scene: Scene) -> Iterator[Hit]:
    if not _tellable(scene):
        return
    for operation, extra in left_over(scene.upgrade, scene.downgrade):
        if _in_raw_sql(scene, operation):
            continue
        what = describe(operation).description
        if extra:
            evidence = f"downgrade() does what no step of upgrade() calls for: {what}"
        else:
            evidence = f"downgrade() does not reverse this step: {what}"
        yield Hit(subject=operation.subject, evidence=evidence, line=operation.line)


RULE = Rule(
    id="downgrade-mismatch",
    severity="WARNING",
    outcome="design",
    title="The downgrade does not reverse the upgrade",
    why="After a rollback the schema is not what it was: the next upgrade fails, or the models and "
    "the database part ways unnoticed.",
    fix="Make downgrade() reverse what upgrade() does to {subject}, and nothing else.",
    bad=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_events_notes', 'events', ['notes'])",
        "op.drop_index('ix_events_notes', table_name='events')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_events_notes', 'events', ['notes'])",
        "op.drop_index('ix_events_notes', table_name='events')\nop.drop_column('events', 'notes')",
    ),
    check=_check,
    stages=IN_A_FILE,
)
