"""A failed concurrent build that nobody will repeat."""

from collections.abc import Iterator

from rulezero_policies.findings import Question
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _dropped(scene: Scene, name: str | None) -> bool:
    """Whether the same revision drops it before it builds it."""
    dropped = (o.index.name for o in scene.upgrade if o.kind == "drop_index" and o.index)
    return name is not None and name in dropped


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_index"):
        index = step.operation.index
        if index is None or not (index.concurrently and index.if_exists):
            continue
        asked = Question(probe="invalid_indexes", table=step.table or "", schema=step.schema)
        fact = scene.fact(asked)
        if fact is None or fact.count == 0 or (fact.names and index.name not in fact.names):
            continue
        known = "is there and invalid" if index.name in fact.names else "may be there and invalid"
        if _dropped(scene, index.name):
            continue
        name = index.name or "(unnamed)"
        evidence = f"index {name} {known}: IF NOT EXISTS passes it over in silence"
        yield Hit(
            subject=step.operation.subject,
            evidence=evidence,
            line=step.operation.line,
            names={"name": name},
        )


RULE = Rule(
    id="invalid-index",
    severity="WARNING",
    outcome="design",
    title="A failed index is passed over in silence",
    why="A concurrent build that failed leaves an invalid index: no query uses it, every write "
    "pays for it, and IF NOT EXISTS takes it for done.",
    fix="Drop it first, in the same autocommit_block: op.drop_index('{name}', ..., "
    "postgresql_concurrently=True, if_exists=True)",
    bad=revision(
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix_events_kind', 'events', ['kind'], postgresql_concurrently=True, "
        "if_not_exists=True)",
        "op.drop_index('ix_events_kind', table_name='events')",
    ),
    good=revision(
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix_events_kind', 'events', ['kind'], postgresql_concurrently=True)",
        "op.drop_index('ix_events_kind', table_name='events')",
    ),
    databases=POSTGRESQL,
    live={"invalid_indexes": (1, ("ix_events_kind",))},
    source="PostgreSQL's manual, CREATE INDEX, Building Indexes Concurrently",
    check=_check,
)
