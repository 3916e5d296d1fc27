"""What the review could not follow."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene


def fills(scene: Scene, change: sql.Dml) -> bool:
    """Whether it only adds: new rows, values of new columns, values in place of NULL.

    Writing a value again as it is takes nothing away either: it has a trigger see the row.
    """
    same = change.assigned and all(plain and r == (c,) for c, r, plain in change.assigned)
    if same and not change.joined:
        return True
    if change.verb == "INSERT" or scene.is_new(change.table, change.schema):
        return True
    added = scene.added(change.table, change.schema)
    new = bool(change.columns) and set(change.columns) <= added
    return change.verb == "UPDATE" and (new or change.only_nulls)


def _check(scene: Scene) -> Iterator[Hit]:
    name = f"revision {scene.revision}" if scene.revision else "upgrade()"
    if scene.upgrade_error is not None:
        seen = f"upgrade() stops while it is read: {scene.upgrade_error}; later steps are unknown"
        yield Hit(subject=name, evidence=seen, severity="CRITICAL")
    for operation in (*scene.upgrade, *_downgrade(scene)):
        if operation.kind == "opaque" and not _told(scene, operation):
            detail = f"not understood: {operation.detail or 'unknown step'}"
            yield Hit(subject=operation.qualified or name, evidence=detail, line=operation.line)
    for operation in scene.upgrade:
        for statement in sql.read(operation.sql or "", scene.dialect):
            if statement.unknown and not sql.cascades(statement.text):
                shown = sql.masked(statement.text)[:200]
                text = f"SQL that is not followed ({statement.unknown}): {shown}"
                yield Hit(subject=operation.qualified or name, evidence=text, line=operation.line)


def _downgrade(scene: Scene) -> tuple[Operation, ...]:
    return scene.downgrade if scene.stage == "revision" else ()


def _told(scene: Scene, operation: Operation) -> bool:
    """Whether the step is what an error left unseen, which is told where the error is."""
    errors = (scene.upgrade_error, scene.downgrade_error, *(f.detail for f in scene.flaws))
    return any(error and error in (operation.detail or "") for error in errors)


RULE = Rule(
    id="opaque",
    severity="WARNING",
    outcome="unknown",
    title="Something could not be followed",
    why="What is not understood is unknown, never safe: it may change or delete anything.",
    fix="Read it by eye, or write it with op.* operations ({subject}); rehearse it on a copy.",
    bad=revision("op.execute('SELECT rebuild_totals()')", "op.execute('SELECT rebuild_totals()')"),
    good=revision(
        "op.execute(\"SET LOCAL lock_timeout = '2s'\")\n"
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    check=_check,
)
