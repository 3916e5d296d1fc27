"""Timestamps get a time zone, or lose it."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.column_types import shifts_zone
from rulezero_policies.operations import Change
from rulezero_policies.rules.facts import is_empty, is_filled, rows_words
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _judged(scene: Scene, step: Step, change: Change) -> Hit:
    zone, rows = scene.fact(asks.TIME_ZONE), scene.fact(step.rows)
    utc, known = is_empty(zone), is_filled(zone)
    read = f"in the session's zone, {zone.names[0]}" if zone and zone.names else "in some zone"
    table = rows_words(rows, step.operation.qualified)
    return Hit(
        subject=step.operation.subject,
        evidence=f"from {change.before} to {change.after} without AT TIME ZONE: values are read "
        f"{read}; {table}",
        line=step.operation.line,
        severity="WARNING" if utc else None,
        outcome="design" if utc else None if known else "unknown",
        names={"column": step.operation.column.name if step.operation.column else ""},
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("alter_column"):
        change = step.operation.change("type")
        if scene.dialect != "postgresql" or change is None or not change.before:
            continue
        shifted = shifts_zone(change.before, change.after or "")
        said = "AT TIME ZONE" in (change.using or "").upper()
        if shifted and not said and not is_empty(scene.fact(step.rows)):
            yield _judged(scene, step, change)


RULE = Rule(
    id="timezone-shift",
    severity="CRITICAL",
    outcome="loses_data",
    title="Timestamps are read in the session's time zone",
    why="Between timestamp and timestamptz every value is converted in the zone of the session "
    "that runs the migration: in another zone than the one they were written in, all of them are "
    "off by hours, without an error.",
    fix="Say in which zone the values of {subject} were written: "
    "postgresql_using=\"{column} AT TIME ZONE 'UTC'\".",
    bad=revision(
        "op.alter_column('events', 'at', existing_type=sa.DateTime(), "
        "type_=sa.DateTime(timezone=True))",
        "op.alter_column('events', 'at', existing_type=sa.DateTime(timezone=True), "
        "type_=sa.DateTime())",
    ),
    good=revision(
        "op.add_column('events', sa.Column('starts_at', sa.DateTime(timezone=True), "
        "nullable=True))",
        "op.drop_column('events', 'starts_at')",
    ),
    check=_check,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/datatype-datetime.html; run on PostgreSQL 18",
)
