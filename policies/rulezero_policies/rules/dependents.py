"""What a drop or a change of type meets: views and keys that rest on it."""

import re
from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.findings import Fact
from rulezero_policies.rules.recreated import recreated
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step, mentions


def _steps(scene: Scene) -> Iterator[tuple[Step, tuple[Fact | None, ...]]]:
    """The steps that what depends on them stops, with the facts that tell it."""
    postgresql = scene.dialect == "postgresql"
    for step in scene.of("drop_table", "drop_column", "alter_column"):
        column = step.operation.kind != "drop_table"
        asked = asks.of_column if column else asks.of_table
        views = scene.fact(asked(step, "dependents")) if postgresql else None
        keys = (
            None if step.operation.kind == "alter_column" else scene.fact(asked(step, "incoming"))
        )
        yield step, (views, keys if scene.dialect != "sqlite" else None)
    for step in recreated(scene):
        yield step, (scene.fact(asks.of_table(step, "dependents")),)


def _name(dependent: str) -> str:
    """The word that a step which removes it has to say."""
    if " ON DELETE " in dependent:
        return dependent.partition(".")[0]
    found = re.match(r"(?:materialized )?(?:view|trigger|policy) (\S+)", dependent)
    return found[1] if found else dependent.rsplit(maxsplit=1)[-1]


def _gone(scene: Scene, step: Step, dependent: str) -> bool:
    """Whether an earlier step of the plan removes it, as far as its name tells."""
    name = _name(dependent)
    before = (s.operation for s in scene.steps if s is not step)
    dropped = any(
        (o.kind.startswith("drop_") and name in {o.table, o.name})
        for o in (*before, *scene.earlier)
    )
    return dropped or any(text and mentions(text, name) for text in step.earlier)


def _check(scene: Scene) -> Iterator[Hit]:
    for step, facts in _steps(scene):
        names = [n for f in facts if f is not None for n in f.names if not _gone(scene, step, n)]
        if names:
            yield Hit(
                subject=step.operation.subject,
                evidence=f"it is in use: {'; '.join(names)}",
                line=step.operation.line,
                names={"dependent": names[0]},
            )


RULE = Rule(
    id="dependents",
    severity="CRITICAL",
    outcome="will_fail",
    title="Something depends on what is dropped or altered",
    why="PostgreSQL refuses to drop, or change the type of, a column that a view, a policy, a "
    "generated column or a foreign key uses; MySQL refuses to drop a table that a foreign key "
    "refers to; SQLite cannot rename the copy that batch mode makes while a view names the table.",
    fix="Drop what depends on {subject} before ({dependent}), and create it again afterwards.",
    bad=revision(
        "op.drop_column('users', 'name')",
        "op.add_column('users', sa.Column('name', sa.String(50), nullable=True))",
    ),
    good=revision(
        "op.add_column('users', sa.Column('nick', sa.String(50), nullable=True))",
        "op.drop_column('users', 'nick')",
    ),
    check=_check,
    live={"dependents": (1, ("view active_users",))},
    source="run on PostgreSQL 18, MariaDB 10.11 and SQLite 3.40",
)
