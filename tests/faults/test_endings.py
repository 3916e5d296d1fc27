"""How failures end on each database: by what it kept, not by what is assumed of it."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

pytestmark = pytest.mark.proves("A18", "A16", "D08")

FAILING = """
op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
op.execute("INSERT INTO marks (name) VALUES ('r2')")
op.execute("INSERT INTO accounts (id, name) VALUES (1, 'again')")
"""

UNIQUE = """
op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
with op.get_context().autocommit_block():
    op.create_index("ix_twice", "twice", ["name"], unique=True, postgresql_concurrently=True)
"""


def run(world: Any) -> Any:
    plan = world.planned()
    return world.applied(plan, world.said_yes(plan))


def test_a_failure_tells_the_error_its_place_what_stays_and_both_ways(
    make_world: Any, any_url: str
) -> None:
    world = make_world(any_url, r2=FAILING)
    result = run(world)
    assert result.status == "failed"
    assert "(migrations/versions/r2.py, line 13)" in result.message
    assert result.current_revision == world.version() == "r1"
    assert result.rollback_command == "alembic downgrade r1"
    kept = [name for name, there in world.effects().items() if there]
    if world.dialect == "postgresql":
        assert (result.ending, kept) == ("rolled back whole", [])
        assert "its schema is unchanged" in result.message
        return
    assert (result.ending, kept) == ("partially applied", ["CREATE TABLE items"])
    (stays,) = result.committed
    assert "CREATE TABLE items" in stays
    assert "(revision r2, migrations/versions/r2.py, line 11)" in stays
    assert "`review` with resume=" in result.resume[0]
    assert result.resume[1].startswith("Or by hand: revision r2 is half done")
    assert result.undo[0].endswith("its plan sends `DROP TABLE items`.")
    # Both ways work: what is said to undo is undone, and the next run goes through.
    engine = sa.create_engine(world.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE items"))
    world.write()
    assert run(world).status == "applied"


def test_an_autocommit_block_that_fails_is_told_with_what_it_left(
    make_world: Any, postgres_url: str
) -> None:
    world = make_world(postgres_url, r2=UNIQUE)
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE twice (name varchar(5))"))
        connection.execute(sa.text("INSERT INTO twice VALUES ('a'), ('a')"))
    result = run(world)
    assert result.ending == "partially applied"
    assert [said.partition(" (")[0].split()[:3] for said in result.committed] == [
        ["`CREATE", "TABLE", "items"],
        ["`CREATE", "UNIQUE", "INDEX"],
    ]
    assert "These indexes are INVALID and serve no query: public.ix_twice" in result.message
    assert "`review` with resume=" in result.resume[0]
    assert "left half done" in result.resume[1]
    assert "its plan sends `DROP INDEX IF EXISTS ix_twice`; `DROP TABLE items`" in result.undo[0]


def test_an_env_script_that_commits_nothing_is_caught(make_world: Any, postgres_url: str) -> None:
    world = make_world(postgres_url)
    env = world.folder / "migrations" / "env.py"
    env.write_text(
        env.read_text()
        .replace("    with context.begin_transaction():\n    ", "")
        .replace(
            "engine.connect() as connection:\n",
            "engine.connect() as connection:\n    connection.begin()\n",
        )
    )
    result = run(world)
    assert (result.status, result.ending, result.verified) == (
        "failed",
        "rolled back whole",
        False,
    )
    assert "The run reported no error, but the database was read back at r1" in result.message
    assert not any(world.effects().values())


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that waits briefly for locks."""
    folder = tmp_path / "policy"
    folder.mkdir(mode=0o700)
    (folder / "policy.toml").write_text("[apply]\nlock_timeout = 0.5\nretries = 2\n")
    (folder / "policy.toml").chmod(0o600)
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(folder))


@pytest.mark.usefixtures("impatient")
def test_a_long_reader_makes_the_run_wait_and_try_again_and_blocks_nobody_else(
    make_world: Any, postgres_url: str
) -> None:
    world = make_world(postgres_url)
    plain = postgres_url.replace("+psycopg", "")
    plan = world.planned()
    token = world.said_yes(plan)
    with psycopg.connect(plain) as reader, psycopg.connect(plain, autocommit=True) as other:
        reader.execute("SELECT * FROM accounts")
        server = world.applier(plan, token)
        waits = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'accounts'::regclass"
        )
        while other.execute(waits).fetchone() == (0,) and server.poll() is None:
            pass
        other.execute("SET statement_timeout = '10s'")
        assert other.execute("SELECT count(*) FROM accounts").fetchone() == (2,)
        while world.journal(plan).count('"event": "waiting"') == 0 and server.poll() is None:
            pass
        reader.rollback()
    assert server.communicate(timeout=120)[0].split() == ["applied", "False"]
    assert '"event": "attempt", "at"' in world.journal(plan)
    assert world.app().store.run(plan.plan_id).report.tries >= 2
    assert all(world.effects().values())


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_never_to_be_had_ends_in_a_failure_that_left_nothing(
    make_world: Any, any_url: str
) -> None:
    world = make_world(any_url)
    plan = world.planned()
    token = world.said_yes(plan)
    engine = sa.create_engine(world.url, poolclass=sa.NullPool)
    with engine.connect() as holder:
        holder.execute(sa.text("UPDATE marks SET name = name"))
        holder.execute(sa.text("INSERT INTO marks (name) VALUES ('held')"))
        holder.execute(sa.text("SELECT * FROM accounts"))
        result = world.applied(plan, token)
        holder.rollback()
    kept = [name for name, there in world.effects().items() if there]
    assert result.status == "failed"
    assert result.ending == ("partially applied" if kept else result.ending)
    assert len(result.committed) == len(kept)
