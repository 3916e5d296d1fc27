"""The backup before a run: promised in the plan, made and tried before the token is spent."""

import os
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from rulezero_policies.errors import AnswerRefused, BackupFailed, NoConnection, StillRunning
from rulezero_server import backups
from rulezero_server.backups import keeping, mysql, postgresql
from rulezero_server.project import WorkerProject
from rulezero_server.shadows import folders, pginstalls, programs
from rulezero_server.shadows.errors import NoShadow
from rulezero_tools import reading

World = Any
MakeWorld = Any


def files_of(world: World) -> list[Path]:
    """The backups that are kept."""
    top = world.state / "backups"
    return [f for f in top.rglob("*") if f.is_file() and f.name != folders.LOCK]


@pytest.mark.proves("A04", "A16", "D08")
def test_a_critical_run_leaves_a_backup_that_was_tried(world: World) -> None:
    plan = world.reviewed()
    assert plan.risk == "CRITICAL"
    assert plan.backup is not None
    assert (plan.backup.refused, plan.backup.tables) == (None, ())
    assert plan.backup.folder == str(world.state / "backups")
    token = world.said_yes(plan)
    done = world.applied(plan, token)
    assert done.status == "applied"
    made = done.backup
    assert made is not None
    assert made.verified, made.checked
    assert "restored" in made.checked
    file = Path(made.path)
    assert (file.stat().st_size, keeping.digest(file)) == (made.bytes, made.sha256)
    assert made.path in made.restore_command
    assert files_of(world) == [file]
    # A database is no more readable in its backup than it was.
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (file.parent, file.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    told = world.applied(plan, token)
    assert (told.repeated, told.backup) == (True, made)
    trail = reading.history(world.session(), limit=50).entries
    events = [e.event for e in trail]
    assert events.index("backed up") < events.index("spent")
    assert made.sha256 in next(e.detail for e in trail if e.event == "backed up")


@pytest.mark.proves("A16")
def test_what_is_asked_says_what_backup_there_will_be(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    plan = world.reviewed()
    text = reading.get_plan(world.session(), plan_id=plan.plan_id, section="approval_request").text
    assert "**Backup:** the whole database (" in text
    assert "a copy of the file" in text
    assert "if that fails, nothing runs" in text


def test_a_run_that_is_not_critical_has_no_backup_unless_the_policy_says_always(
    make_world: MakeWorld,
) -> None:
    world = make_world("sqlite")
    versions = world.folder / "migrations/versions"
    text = (versions / "r2.py").read_text()
    (versions / "r2.py").write_text(text.replace('op.drop_column("things", "word")', "pass"))
    assert world.reviewed().backup is None
    world.policy('[apply]\nbackup = "always"\n')
    plan = world.reviewed()
    assert plan.risk != "CRITICAL"
    assert plan.backup is not None
    done = world.applied(plan)
    assert done.backup is not None


def test_a_policy_of_never_makes_none(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    world.policy('[apply]\nbackup = "never"\n')
    plan = world.reviewed()
    assert (plan.risk, plan.backup) == ("CRITICAL", None)
    done = world.applied(plan)
    assert (done.status, done.backup) == ("applied", None)
    assert files_of(world) == []


@pytest.mark.proves("D08", "D03")
@pytest.mark.parametrize("where", ["write", "tried"])
def test_a_backup_that_fails_spends_nothing_and_runs_nothing(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world = make_world("sqlite")
    plan, before = world.reviewed(), world.dump()
    token = world.said_yes(plan)

    def broken(*_: Any) -> Any:
        raise NoShadow("the disk is full", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(backups.kind("sqlite"), where, broken)
        with pytest.raises(BackupFailed, match=r"disk is full.*the token is not spent"):
            world.applied(plan, token)
    assert world.dump() == before
    assert files_of(world) == []
    assert world.session().store.run(plan.plan_id) is None
    # What a killed server left half written is no backup, and goes with the next that is made.
    place = keeping.of_plan(Path(plan.backup.folder), plan.plan_id)
    left = keeping.fresh(place, ".sqlite")
    assert left.name.endswith(".part")
    done = world.applied(plan, token)
    assert (done.status, files_of(world)) == ("applied", [Path(done.backup.path)])


def test_a_damaged_copy_is_no_backup(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("sqlite")
    plan = world.reviewed()
    token, copied = world.said_yes(plan), backups.kind("sqlite")
    write = copied.write

    def half(order: Any, tables: Any, file: Path) -> Any:
        rows = write(order, tables, file)
        data = file.read_bytes()
        file.write_bytes(data[: len(data) - 4096] + b"\xff" * 4096)
        return rows

    monkeypatch.setattr(copied, "write", half)
    with pytest.raises(BackupFailed):
        world.applied(plan, token)
    assert world.rows("SELECT version_num FROM alembic_version") == [("r1",)]


@pytest.mark.proves("D03")
def test_what_changed_while_the_backup_was_made_is_not_run(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("sqlite")
    plan = world.reviewed()
    token, sqlite = world.said_yes(plan), backups.kind("sqlite")
    tried = sqlite.tried

    def slow(*given: Any) -> Any:
        revision = world.folder / "migrations/versions/r2.py"
        revision.write_text(revision.read_text() + "\n# changed\n")
        return tried(*given)

    monkeypatch.setattr(sqlite, "tried", slow)
    with pytest.raises(Exception, match=r"r2\.py changed"):
        world.applied(plan, token)
    assert files_of(world) == [], "no run has any use for it"
    grants = world.session().store
    assert grants.run(plan.plan_id) is None


def test_a_backup_that_takes_longer_than_a_token_lives_makes_it_not_late(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("sqlite")
    plan = world.reviewed()
    token, sqlite = world.said_yes(plan), backups.kind("sqlite")
    tried = sqlite.tried

    def slow(*given: Any) -> Any:
        world.clock.ahead = world.session().policy.plan_life
        return tried(*given)

    monkeypatch.setattr(sqlite, "tried", slow)
    assert world.applied(plan, token).status == "applied"


def test_two_calls_do_not_make_the_backup_twice(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    plan = world.reviewed()
    token = world.said_yes(plan)
    place = keeping.of_plan(Path(plan.backup.folder), plan.plan_id)
    other = folders.taken(place)
    assert other is not None
    with other, pytest.raises(StillRunning, match="making the backup"):
        world.applied(plan, token)
    assert world.applied(plan, token).status == "applied"


@pytest.mark.proves("A04")
def test_where_none_can_be_made_a_person_states_that_there_is_one(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("postgresql")

    def none(*_: Any) -> Any:
        raise NoShadow("pg_dump here is of PostgreSQL 12, and the target is 18", "Install it.")

    monkeypatch.setattr(postgresql.pginstalls, "client", none)
    plan = world.reviewed()
    assert plan.backup is not None
    assert "pg_dump here is of PostgreSQL 12" in (plan.backup.refused or "")
    assert plan.phrases == ("yes, drop it: I have a backup",)
    assert (world.typed(plan) or "").endswith(": I have a backup")
    text = reading.get_plan(world.session(), plan_id=plan.plan_id, section="approval_request").text
    assert "**Backup:** NONE can be made: pg_dump here is of PostgreSQL 12" in text
    with pytest.raises(AnswerRefused, match="I have a backup"):
        world.said_yes(plan, "yes, drop it")
    done = world.applied(plan)
    assert (done.status, done.backup) == ("applied", None)
    # What was approved without one is bound to that.
    assert replace(plan, backup=None).digest != plan.digest


def test_a_project_that_does_not_tell_how_it_connects_can_be_reviewed_all_the_same(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("sqlite")

    def untold(_: Any) -> Any:
        raise NoConnection(error="the driver x does not tell", database="sqlite")

    monkeypatch.setattr(WorkerProject, "access", untold)
    plan = world.reviewed()
    assert "not known how the project connects (NoConnection)" in (plan.backup.refused or "")


def test_a_full_disk_is_seen_before_anybody_is_asked(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("sqlite")
    monkeypatch.setattr(keeping, "ROOM", 10**18)
    plan = world.reviewed()
    assert plan.backup is not None
    assert "MB free" in (plan.backup.refused or "")
    assert plan.phrases == ("yes, drop it: I have a backup",)


def test_a_folder_that_others_may_write_to_takes_no_backup(make_world: MakeWorld) -> None:
    world = make_world("sqlite")
    folder = world.folder.parent / "open"
    folder.mkdir()
    folder.chmod(0o777)
    world.policy(f'[apply]\nbackup_folder = "{folder}"\n')
    assert "cannot be used" in (world.reviewed().backup.refused or "")
    folder.chmod(0o700)
    plan = world.reviewed()
    assert plan.backup.folder == str(folder)
    assert Path(world.applied(plan).backup.path).is_relative_to(folder)


def test_a_role_that_may_not_read_every_table_is_told_before(make_world: MakeWorld) -> None:
    world = make_world("postgresql")
    url = sa.make_url(world.url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS small")
        connection.execute("CREATE ROLE small LOGIN SUPERUSER PASSWORD 'pw-of-small'")
        connection.execute("ALTER ROLE small NOSUPERUSER")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO small")
    try:
        os.environ["DATABASE_URL"] = url.set(
            username="small", password="pw-of-small"
        ).render_as_string(hide_password=False)
        plan = world.reviewed()
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("DROP OWNED BY small")
            connection.execute("DROP ROLE small")
    assert "may not read the schema side" in (plan.backup.refused or "")


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_of_a_large_database_only_what_is_touched_is_backed_up(
    make_world: MakeWorld, dialect: str
) -> None:
    world = make_world(dialect)
    world.policy("[apply]\nbackup_megabytes = 0.001\n")
    plan = world.reviewed()
    assert plan.backup is not None
    names = {name.rpartition(".")[2].strip('"') for name in plan.backup.tables}
    assert names == {"things", "alembic_version"}
    assert "more than [apply] backup_megabytes" in plan.backup.notes[0]
    made = world.applied(plan).backup
    assert (made.verified, len(made.tables)) == (True, 2), made.checked


@pytest.mark.proves("C03")
def test_rows_of_a_protected_database_are_put_on_no_other_server(make_world: MakeWorld) -> None:
    world = make_world("postgresql")
    (world.folder / "rulezero.toml").write_text("[environments.here]\nprotected = true\n")
    plan = world.reviewed()
    made = world.session().backups.make(plan, print)
    assert not made.verified
    assert "protected" in made.checked
    assert stat.S_IMODE(Path(made.path).stat().st_mode) == 0o600


@pytest.mark.proves("C03")
@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_no_secret_stands_on_a_command_line_or_in_what_is_told(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    world = make_world(dialect)
    url = sa.make_url(world.url).set(password="s3cr3t-word")
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    commands: list[str] = []
    start = subprocess.Popen.__init__

    def noted(self: Any, command: Any, *given: Any, **options: Any) -> None:
        commands.append(" ".join(map(str, command)))
        start(self, command, *given, **options)

    if dialect == "mariadb":
        # The server's root has no password: a wrong one is told apart from one that is shown.
        world.run_sql("CREATE OR REPLACE USER small IDENTIFIED BY 's3cr3t-word';\n")
        world.run_sql("GRANT ALL ON *.* TO small;\n")
        named = url.set(username="small")
        monkeypatch.setenv("DATABASE_URL", named.render_as_string(hide_password=False))
    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    plan = world.reviewed()
    done = world.applied(plan)
    assert done.backup is not None
    assert any("dump" in command for command in commands)
    trail = reading.history(world.session(), limit=50)
    kept = [p.read_bytes() for p in (world.state / "runs").rglob("*") if p.is_file()]
    assert "s3cr3t-word" not in repr((commands, done, plan, trail, kept))


def test_the_projects_variables_choose_no_program(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("postgresql")
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("pg_dump", "psql", "pg_restore"):
        (fake / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (fake / name).chmod(0o755)
    (world.folder / "rulezero.toml").write_text(
        f'[environments.here.env]\nPATH = "{fake}:{os.environ["PATH"]}"\n'
        f'LD_PRELOAD = "{tmp_path}/none.so"\nPGSERVICEFILE = "{tmp_path}/none"\n'
    )
    pginstalls.installs.cache_clear()
    plan = world.reviewed()
    assert plan.backup.refused is None
    assert not (tmp_path / "ran").exists()


def test_a_dump_that_was_cut_off_is_no_backup(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("mariadb")
    plan = world.reviewed()
    token, dumped = world.said_yes(plan), mysql.dumped

    def cut(target: Any, file: Path, *more: Any) -> None:
        dumped(target, file, *more)
        if file.name != Path(os.devnull).name:
            file.write_bytes(file.read_bytes()[:-300])

    monkeypatch.setattr(mysql, "dumped", cut)
    with pytest.raises(BackupFailed, match="no whole backup"):
        world.applied(plan, token)


def test_a_program_reads_a_file_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(b"a" * 100_000)
    ran = programs.run(["/bin/cat"], variables={}, until=time.monotonic() + 20, source=file)
    assert ran.out == b"a" * 100_000
