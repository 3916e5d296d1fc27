"""An index that a foreign key still needs."""

from collections.abc import Iterator
from itertools import takewhile

from rulezero_policies import asks
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _gone(scene: Scene, step: Step) -> set[str]:
    """The constraints that were dropped before the step."""
    earlier = (s.operation for s in takewhile(lambda s: s is not step, scene.steps))
    return {
        o.constraint.name or "" for o in earlier if o.kind == "drop_constraint" and o.constraint
    }


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("drop_index"):
        index = step.operation.index
        fact = scene.fact(asks.needed_by_key(step, index.name)) if index else None
        keys = [n for n in fact.names if n not in _gone(scene, step)] if fact else []
        if keys:
            yield Hit(
                subject=step.operation.qualified,
                evidence=f"the foreign key {', '.join(keys)} has no other index to rest on",
                line=step.operation.line,
                names={"key": keys[0]},
            )


RULE = Rule(
    id="mysql-index-of-fk",
    severity="CRITICAL",
    outcome="will_fail",
    title="An index is dropped that a foreign key needs",
    why="MySQL and MariaDB keep an index for every foreign key and refuse to drop the last one.",
    fix="Drop the foreign key {key} of {subject} first, then the index.",
    bad=revision(
        "op.drop_index('ix_tasks_owner', table_name='tasks')",
        "op.create_index('ix_tasks_owner', 'tasks', ['owner'])",
    ),
    good=revision(
        "op.create_index('ix_tasks_owner', 'tasks', ['owner'])",
        "op.drop_index('ix_tasks_owner', table_name='tasks')",
    ),
    check=_check,
    dialect="mysql",
    live={"needed_by_key": (1, ("fk_tasks_owner",))},
    databases=MYSQL_ONLY,
    source="https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html; run on MariaDB "
    "10.11",
)
