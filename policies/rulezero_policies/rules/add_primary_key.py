"""A primary key over rows that are already there."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Constraint
from rulezero_policies.rules.add_unique import by_duplicates
from rulezero_policies.rules.facts import by_rows, by_violations, is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def _hits(scene: Scene, step: Step, key: Constraint) -> Iterator[Hit | None]:
    yield by_duplicates(scene, step, "primary key", key.columns)
    for question in asks.nulls_of(step, key.columns):
        fact = scene.fact(question)
        if fact is not None and not is_empty(fact):
            yield by_violations(
                step,
                fact,
                evidence=f"primary key on {', '.join(key.columns)}",
                what=f"NULLs in {question.column}",
                columns=key.columns,
            )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_constraint"):
        key = step.operation.constraint
        if key is None or key.kind != "primary_key" or key.using_index:
            continue
        if set(key.columns) & step.empty:
            yield by_rows(scene, step, "primary key on a new column that holds only NULL")
            continue
        yield from filter(None, _hits(scene, step, key))


RULE = Rule(
    id="add-primary-key",
    severity="WARNING",
    outcome="may_fail",
    title="A primary key is added to existing data",
    why="It fails on the first duplicate and on the first NULL, and blocks the table while the "
    "index is built.",
    fix="Look for duplicates and NULLs in the key of {subject} and resolve them in a revision "
    "before. On PostgreSQL build a unique index with postgresql_concurrently=True first and take "
    "it over with ALTER TABLE ... ADD CONSTRAINT ... PRIMARY KEY USING INDEX.",
    bad=revision(
        "op.create_primary_key('pk_codes', 'codes', ['code'])",
        "op.drop_constraint('pk_codes', 'codes', type_='primary')",
    ),
    good=revision(
        "op.create_table('codes', sa.Column('code', sa.String(20), nullable=False), "
        "sa.PrimaryKeyConstraint('code'))",
        "op.drop_table('codes')",
    ),
    check=_check,
)
