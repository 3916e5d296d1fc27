"""A backup is put back by a plan of its own, and the database is what it was, byte for byte."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_policies.errors import AnswerRefused, BackupUnusable, PlanStale
from rulezero_policies.plan import Plan
from rulezero_server import filelocks
from rulezero_tools.rollback import rollback

World = Any
MakeWorld = Any


def planned(world: World, plan: Plan) -> Plan:
    """The plan that restores the backup made before `plan` ran."""
    return world.plan(rollback(world.session(), restore=plan.plan_id).plan_id)


READER = """
import sys
import sqlalchemy as sa
with sa.create_engine(sys.argv[1], poolclass=sa.NullPool).connect() as connection:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("SELECT * FROM things").fetchall()
    print("reading", flush=True)
    sys.stdin.read()
"""


@contextmanager
def reader(world: World) -> Generator[None]:
    """Somebody who reads a table, and does not end their transaction."""
    command = [sys.executable, "-c", READER, world.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        yield
        process.kill()


def settled(world: World, plan: Plan, token: str, done: Any) -> Any:
    """How it ended: a client of the database may outlive who fed it, for as long as it waits."""
    while done.status == "running":
        done = world.applied(plan, token)
    return done


@pytest.mark.proves("A17", "D08")
def test_what_a_migration_destroyed_comes_back_byte_for_byte(world: World) -> None:
    before = world.dump()
    upgrade = world.reviewed()
    assert world.applied(upgrade).status == "applied"
    world.run_sql("INSERT INTO orders (id, thing) VALUES (1, 2);")
    after = world.dump()
    assert after != before
    back = planned(world, upgrade)
    assert (back.kind, back.risk, back.phrases) == ("restore", "CRITICAL", ("yes, restore it",))
    lost = {f.subject: f.evidence for f in back.findings}
    assert "dropped, with its 1 rows" in lost["orders"]
    assert "since" in lost["the whole database"]
    with pytest.raises(AnswerRefused, match="yes, restore it"):
        world.said_yes(back, "yes")
    assert world.dump() == after
    done = world.applied(back)
    assert (done.status, done.verified, done.current_revision) == ("applied", True, "r1"), done
    assert (done.message.splitlines()[0], done.rollback_command) == (
        "Backup restored successfully.",
        "alembic upgrade r2",
    )
    assert world.dump() == before
    # What stood there before the restore can be had again, too.
    assert done.backup is not None
    assert done.backup.verified
    assert world.applied(planned(world, back)).status == "applied"
    assert world.dump() == after


ASYNC = """
import asyncio
import os

from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine


def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
"""


def test_the_lock_is_held_where_the_projects_driver_is_asyncios(make_world: MakeWorld) -> None:
    world = make_world("postgresql")
    (world.folder / "migrations/env.py").write_text(ASYNC)
    before, upgrade = world.dump(), world.reviewed()
    assert world.applied(upgrade).status == "applied"
    back = planned(world, upgrade)
    done = world.applied(back)
    assert done.status == "applied", done.message
    assert world.dump() == before


def test_whoever_owns_a_database_needs_no_superuser_to_restore_it(make_world: MakeWorld) -> None:
    world = make_world("postgresql", "owner_of_it")
    before, upgrade = world.dump(), world.reviewed()
    assert (upgrade.backup is not None, upgrade.phrases) == (True, ("yes, drop it",))
    assert world.applied(upgrade).status == "applied"
    done = world.applied(planned(world, upgrade))
    assert done.status == "applied", done.message
    assert world.dump() == before


def test_a_file_with_a_write_ahead_log_comes_back_with_it(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    world.run_sql("PRAGMA journal_mode = WAL;")
    before, upgrade = world.dump(), world.reviewed()
    assert world.applied(upgrade).backup.verified
    world.run_sql("DELETE FROM parts;")
    done = world.applied(planned(world, upgrade))
    assert done.status == "applied", done.message
    assert world.dump() == before
    assert world.rows("PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_tables_that_were_backed_up_alone_come_back_alone(
    make_world: MakeWorld, dialect: str
) -> None:
    world = make_world(dialect)
    world.policy("[apply]\nbackup_megabytes = 0.001\n")
    before = world.rows("SELECT id, word, raw, number, twice FROM things ORDER BY id")
    upgrade = world.reviewed()
    assert world.applied(upgrade).status == "applied"
    world.run_sql("INSERT INTO orders (id, thing) VALUES (1, 2);")
    if dialect == "postgresql":
        # A view on a table that is put back alone would be lost: nothing is.
        after, held = world.dump(), world.applied(planned(world, upgrade))
        assert held.ending == "rolled back whole", held.message
        assert "other objects depend on it" in held.message
        assert world.dump() == after
    world.run_sql("DROP VIEW seen;")
    done = world.applied(planned(world, upgrade))
    assert (done.status, done.current_revision) == ("applied", "r1"), done.message
    assert world.rows("SELECT id, word, raw, number, twice FROM things ORDER BY id") == before
    # What the backup is not of stays, and so do its references.
    assert world.rows("SELECT thing FROM orders") == [(2,)]
    keys = sa.inspect(sa.create_engine(world.url, poolclass=sa.NullPool)).get_foreign_keys("orders")
    assert [key["referred_table"] for key in keys] == ["things"]


@pytest.mark.proves("D03")
def test_another_file_than_the_one_that_was_made_is_never_put_back(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    upgrade = world.reviewed()
    made = world.applied(upgrade).backup
    after, file = world.dump(), Path(made.path)
    back = planned(world, upgrade)
    token, good = world.said_yes(back), file.read_bytes()
    file.write_bytes(good.replace(b"plain", b"plaiN"))
    with pytest.raises(PlanStale, match="not what was approved"):
        world.applied(back, token)
    with pytest.raises(BackupUnusable, match="not what was written"):
        planned(world, upgrade)
    file.unlink()
    with pytest.raises(BackupUnusable, match="is gone"):
        planned(world, upgrade)
    assert world.dump() == after
    file.write_bytes(good)
    assert world.applied(back, token).status == "applied"


@pytest.mark.proves("D03")
@pytest.mark.parametrize("what", ["file", "tables"])
def test_what_changes_after_the_token_was_spent_is_noticed_under_the_lock(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    world = make_world("sqlite")
    upgrade = world.reviewed()
    file = Path(world.applied(upgrade).backup.path)
    back = planned(world, upgrade)
    token, after = world.said_yes(back), world.dump()
    hand_over = filelocks.to_hand_over

    def exchanged(path: Path) -> Any:
        if what == "file":
            file.write_bytes(file.read_bytes().replace(b"plain", b"plaiN"))
        else:
            world.run_sql("CREATE TABLE passing (x); DROP TABLE passing;")
        return hand_over(path)

    monkeypatch.setattr(filelocks, "to_hand_over", exchanged)
    done = world.applied(back, token)
    assert done.status == "failed"
    assert "approved; nothing was sent" in done.message
    assert world.dump() == after


@pytest.mark.proves("D03")
def test_tables_that_were_made_anew_since_are_not_overwritten(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    upgrade = world.reviewed()
    world.applied(upgrade)
    back = planned(world, upgrade)
    token = world.said_yes(back)
    world.run_sql("CREATE TABLE passing (x); DROP TABLE passing;")
    after = world.dump()
    with pytest.raises(PlanStale, match="made anew since"):
        world.applied(back, token)
    assert world.dump() == after


def test_a_plan_that_ran_without_a_backup_has_none_to_put_back(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    world.policy('[apply]\nbackup = "never"\n')
    upgrade = world.reviewed()
    with pytest.raises(BackupUnusable, match="none was made"):
        planned(world, upgrade)
    world.applied(upgrade)
    with pytest.raises(BackupUnusable, match="none was made"):
        planned(world, upgrade)


def test_a_backup_of_another_database_is_not_put_back(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    upgrade = world.reviewed()
    world.applied(upgrade)
    file = Path(sa.make_url(world.url).database or "")
    data = file.read_bytes()
    file.rename(file.with_name("old.db"))
    file.write_bytes(data)
    with pytest.raises(BackupUnusable, match="and this is"):
        planned(world, upgrade)


@pytest.mark.proves("A17")
def test_a_rollback_that_brings_no_data_back_offers_the_backup(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    upgrade = world.reviewed()
    world.applied(upgrade)
    offered = rollback(world.session())
    assert any(f"restore='{upgrade.plan_id}'" in text for text in offered.warnings)


@pytest.mark.proves("D08")
def test_a_restore_that_is_killed_leaves_a_known_outcome(world: World) -> None:
    before, upgrade = world.dump(), world.reviewed()
    assert world.applied(upgrade).status == "applied"
    after = world.dump()
    back = planned(world, upgrade)
    token = world.said_yes(back)
    ends: list[Any] = []
    thread = threading.Thread(target=lambda: ends.append(world.applied(back, token)))
    with reader(world):
        thread.start()
        os.kill(_restoring(world, back), signal.SIGKILL)
        thread.join(60)
    done = settled(world, back, token, ends[0])
    if world.dialect == "mysql":
        assert done.ending in {"partially applied", "nothing happened"}, done.message
    else:
        assert done.ending == "rolled back whole", done.message
        assert world.dump() == after
    again = planned(world, upgrade)
    assert world.applied(again).status == "applied"
    assert world.dump() == before


def _restoring(world: World, plan: Plan) -> int:
    """Wait until the backup is being put back: the process that does it."""
    wait = threading.Event()
    journal: Path = world.state / "runs" / plan.plan_id / "journal"
    for _ in range(600):
        lines = journal.read_text().splitlines() if journal.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("}")]
        if any(e["event"] == "restoring" for e in events):
            return next(e["pid"] for e in events if e["event"] == "start")
        wait.wait(0.05)
    raise AssertionError("it did not begin")


@pytest.mark.proves("D08")
def test_a_long_reader_ends_a_restore_and_nothing_else(world: World) -> None:
    world.policy("[apply]\nlock_timeout = 0.3\nretries = 0\n")
    before, upgrade = world.dump(), world.reviewed()
    assert world.applied(upgrade).status == "applied"
    after, back = world.dump(), planned(world, upgrade)
    with reader(world):
        done = world.applied(back)
    assert done.status == "failed"
    if world.dialect == "mysql":
        assert done.ending == "partially applied", done.message
        assert any("rollback" in step for step in done.resume)
    else:
        assert done.ending == "rolled back whole", done.message
        assert world.dump() == after
    assert "lock" in done.message or "reading from it" in done.message
    assert world.applied(planned(world, upgrade)).status == "applied"
    assert world.dump() == before
