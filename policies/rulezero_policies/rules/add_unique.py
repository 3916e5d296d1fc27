"""Uniqueness asked of rows that are already there."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.operations import Operation
from rulezero_policies.rules.facts import by_rows, by_violations
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_KINDS = {"unique": "unique constraint", "exclude": "exclusion constraint"}


def _asked_of(operation: Operation) -> tuple[str, tuple[str, ...]] | None:
    """What makes the rows unique, and by which columns."""
    if operation.kind == "create_index" and operation.index and operation.index.unique:
        return "unique index", operation.index.columns
    constraint = operation.constraint
    if operation.kind != "create_constraint" or constraint is None or constraint.using_index:
        return None
    return (_KINDS[constraint.kind], constraint.columns) if constraint.kind in _KINDS else None


def by_duplicates(scene: Scene, step: Step, what: str, columns: tuple[str, ...]) -> Hit | None:
    """The hit for uniqueness over these columns, by the values that stand twice."""
    on = ", ".join(columns) or "(unnamed)"
    subject = f"{step.operation.qualified}.{on}"
    asked = asks.duplicates(step, columns)
    if asked is None:
        rows = scene.fact(step.rows)
        single = rows is not None and rows.count is not None and rows.count < 2
        evidence = f"{what} on {on} over existing rows"
        return None if single else by_rows(scene, step, evidence, subject=subject)
    return by_violations(
        step,
        scene.fact(asked),
        evidence=f"{what} on {on} over existing rows",
        what="values that stand more than once",
        columns=columns,
        subject=subject,
    )


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("create_index", "create_constraint"):
        asked = _asked_of(step.operation)
        if asked is None or set(asked[1]) & step.empty:
            continue
        if hit := by_duplicates(scene, step, *asked):
            yield hit


RULE = Rule(
    id="add-unique",
    severity="WARNING",
    outcome="may_fail",
    title="Uniqueness is asked of existing data",
    why="It fails on the first duplicate, and blocks writes while the index is built.",
    fix="Look for duplicates of {subject} and resolve them in a revision before. On PostgreSQL "
    "build the unique index with postgresql_concurrently=True in an autocommit_block first.",
    bad=revision(
        "op.create_unique_constraint('uq_users_email', 'users', ['email'])",
        "op.drop_constraint('uq_users_email', 'users', type_='unique')",
    ),
    good=revision(
        "op.create_table('invites', sa.Column('id', sa.Integer(), nullable=False), "
        "sa.Column('code', sa.String(20), nullable=False), sa.PrimaryKeyConstraint('id'))\n"
        "op.create_unique_constraint('uq_invites_code', 'invites', ['code'])",
        "op.drop_table('invites')",
    ),
    check=_check,
)
