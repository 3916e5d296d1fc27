"""The tables that batch blocks copy on SQLite."""

from collections.abc import Iterator

from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def recreated(scene: Scene) -> Iterator[Step]:
    """The first step of each table that a batch block copies."""
    seen = set[tuple[str | None, str | None]]()
    if scene.dialect != "sqlite":
        return
    for step in scene.existing:
        place = (step.schema, step.table)
        if step.operation.recreates and place not in seen:
            seen.add(place)
            yield step
