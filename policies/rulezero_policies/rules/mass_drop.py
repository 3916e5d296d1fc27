"""Most of the tables are dropped at once."""

from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene

_MANY = 5
"""Dropped tables that are many where it is not known how many there are."""


def _check(scene: Scene) -> Iterator[Hit]:
    drops = scene.of("drop_table")
    fact = scene.fact(asks.TABLES)
    total = fact.count if fact else None
    most = len(drops) * 2 > total if total is not None else len(drops) >= _MANY
    if len(drops) >= asks.MANY_TABLES and most:
        of = f" of {total}" if total is not None else ""
        yield Hit(
            subject=", ".join(s.operation.qualified for s in drops[:_MANY]),
            evidence=f"{len(drops)}{of} tables are dropped",
            line=drops[0].operation.line,
            outcome=None if total is not None else "unknown",
        )


_DROPS = "\n".join(f"op.drop_table('t{number}')" for number in range(5))
_CREATES = "\n".join(
    f"op.create_table('t{number}', sa.Column('id', sa.Integer(), nullable=False), "
    "sa.PrimaryKeyConstraint('id'))"
    for number in range(5)
)

RULE = Rule(
    id="mass-drop",
    severity="CRITICAL",
    outcome="loses_data",
    title="Most tables are dropped",
    why="Autogenerate drops every table whose model it does not see: env.py did not import it, or "
    "target_metadata is another one.",
    fix="Check that env.py imports every model and that target_metadata is theirs, and generate "
    "the revision anew; nobody drops {subject} at once on purpose.",
    bad=revision(_DROPS, _CREATES),
    good=revision(
        "op.create_table('t1', sa.Column('id', sa.BigInteger(), nullable=False), "
        "sa.PrimaryKeyConstraint('id'))",
        "op.drop_table('t1')",
    ),
    check=_check,
    stages=FORWARD,
    source="https://alembic.sqlalchemy.org/en/latest/autogenerate.html",
)
