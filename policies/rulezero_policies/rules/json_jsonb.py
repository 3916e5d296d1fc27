"""JSON becomes JSONB."""

from collections.abc import Iterator

from rulezero_policies.rules.facts import is_empty, rows_words
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        pair = change and ((change.before or "").upper(), (change.after or "").upper())
        rows = scene.fact(step.rows)
        if pair == ("JSON", "JSONB") and not step.new_column and not is_empty(rows):
            words = rows_words(rows, step.operation.qualified)
            yield Hit(
                subject=step.operation.subject,
                evidence=f"from JSON to JSONB: the order of keys, spaces and all but the last of "
                f"doubled keys are dropped; {words}",
                line=step.operation.line,
            )


RULE = Rule(
    id="json-jsonb",
    severity="WARNING",
    outcome="loses_data",
    title="JSON becomes JSONB",
    why="JSON keeps the text as it was written; JSONB keeps what it means: the order of keys, "
    "spaces and doubled keys are gone afterwards, and the whole table is rewritten.",
    fix="Make sure that nothing reads the exact text of {subject} (signatures, hashes), then go "
    "on.",
    bad=revision(
        "op.alter_column('events', 'data', existing_type=postgresql.JSON(), "
        "type_=postgresql.JSONB())",
        "op.alter_column('events', 'data', existing_type=postgresql.JSONB(), "
        "type_=postgresql.JSON())",
    ),
    good=revision(
        "op.add_column('events', sa.Column('note', sa.Text(), nullable=True))",
        "op.drop_column('events', 'note')",
    ),
    check=_check,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/datatype-json.html; run on PostgreSQL 18",
)
