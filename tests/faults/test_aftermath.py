"""What is said once a run is over: which rows stopped it, and what the models still want."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

pytestmark = pytest.mark.proves("A18")

COPIED = """
with op.batch_alter_table("accounts") as batch:
    batch.create_unique_constraint("uq_name", ["name"])
"""
UNIQUE = 'op.create_unique_constraint("uq_name", "accounts", ["name"])'

WAYS = {
    "duplicates": (
        "UPDATE accounts SET name = 'secret'",
        {"sqlite": COPIED, "": UNIQUE},
        ("values that accounts (name) holds more than once: 1", ()),
    ),
    "nulls": (
        "UPDATE accounts SET name = NULL WHERE id = 2",
        {
            "sqlite": 'with op.batch_alter_table("accounts") as batch:\n'
            '    batch.alter_column("name", nullable=False, existing_type=sa.String(20))',
            "": 'op.alter_column("accounts", "name", nullable=False, existing_type=sa.String(20))',
        },
        ("NULLs in accounts.name: 1", ("2",)),
    ),
}


def run(world: Any) -> Any:
    plan = world.planned()
    return plan, world.applied(plan, world.said_yes(plan))


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_rows_stopped_names_them_without_their_values(
    make_world: Any, any_url: str, way: str
) -> None:
    spoil, codes, (amount, keys) = WAYS[way]
    world = make_world(any_url)
    world.write(r2=codes.get(world.dialect, codes[""]))
    engine = sa.create_engine(world.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(spoil))
    plan, result = run(world)
    cause = result.cause
    assert result.status == "failed"
    assert f"In the way: {amount}" in result.message.replace("public.", "")
    assert cause.advice in result.message
    assert (cause.count, cause.keys) == (1, keys or cause.keys)
    assert "secret" not in repr(cause)
    assert (cause.table, cause.revision) == ("accounts", "r2")
    assert cause.place.startswith("migrations/versions/r2.py, line ")
    assert "accounts" in cause.statement
    # What was found out stays with the run, and its rows' keys out of the trail.
    again = world.app().store.run(plan.plan_id)
    assert again.cause.rows.count == 1
    assert "In the way" not in world.app().store.entries()[-1].detail


@pytest.mark.proves("A16")
def test_what_models_and_database_still_differ_in_is_told(make_world: Any, tmp_path: Path) -> None:
    options = ', target_metadata=__import__("sqlalchemy").MetaData()'
    world = make_world(f"sqlite:///{tmp_path / 'database.sqlite'}", options=options)
    _, result = run(world)
    assert result.status == "applied"
    assert "differences between models and database remain: " in result.message
    assert "items: drop table, with any rows in it" in result.remaining
