"""How a store opens: late, private, migrated, and with one clear sentence when it cannot."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from rulezero_policies.errors import StoreFailed
from rulezero_policies.plan import FileHash
from rulezero_server import places
from rulezero_server.stores import open_store
from rulezero_server.stores.schema import MIGRATIONS
from rulezero_server.stores.tables import SCHEMA, VERSION_TABLE, metadata

posix_modes = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def lines(file: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def alter(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


# --- late ---


def loaded_after(code: str) -> set[str]:
    """The heavy packages a fresh interpreter holds after `code`."""
    tail = "\nimport sys\nprint(*sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split()) & {"sqlalchemy", "alembic", "pydantic", "platformdirs"}


def test_a_store_that_is_not_used_imports_nothing_heavy_and_makes_no_file(state: Path) -> None:
    code = "from rulezero_server.stores import open_store\nstore = open_store()"
    assert loaded_after(code) == set()
    assert not state.exists()


def test_a_store_that_is_ready_opens_without_alembic(file: Path) -> None:
    open_store(file).entries()
    code = (
        "from pathlib import Path\nfrom rulezero_server.stores import open_store\n"
        f"open_store(Path({str(file)!r})).entries()"
    )
    assert "alembic" not in loaded_after(code)


def test_an_unused_store_has_no_private_names(file: Path) -> None:
    with pytest.raises(AttributeError):
        getattr(open_store(file), "_engine")  # noqa: B009
    assert not file.exists()


# --- private ---


def test_the_default_store_lives_in_the_chosen_state_folder(state: Path) -> None:
    open_store().entries()
    assert places.store_path() == state / "store.sqlite3"
    assert places.store_path().is_file()


def test_without_a_choice_it_is_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def user_state_path(name: str, *, appauthor: bool) -> Path:
        return tmp_path / name

    monkeypatch.delenv("RULEZERO_STATE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_state_path", user_state_path)
    assert places.state_dir() == tmp_path / "rulezero"


@posix_modes
def test_only_the_owner_may_enter_the_folder_and_read_the_file(state: Path) -> None:
    before = os.umask(0)
    try:
        open_store().entries()
    finally:
        os.umask(before)
    assert mode(state) == 0o700
    assert mode(places.store_path()) == 0o600


@posix_modes
def test_a_file_that_others_could_read_is_closed(file: Path) -> None:
    file.touch()
    file.chmod(0o644)
    open_store(file).entries()
    assert mode(file) == 0o600


@posix_modes
def test_a_folder_that_others_may_write_into_is_refused_and_left_as_it_is(state: Path) -> None:
    state.mkdir()
    state.chmod(0o777)
    with pytest.raises(StoreFailed, match="other users may write"):
        open_store().entries()
    assert mode(state) == 0o777
    assert list(state.iterdir()) == []


def test_bytes_that_were_changed_in_the_store_are_not_given_out(file: Path) -> None:
    store = open_store(file)
    store.entries()
    alter(file, f"INSERT INTO rulezero_blobs VALUES ('{'0' * 64}', X'00')")
    with pytest.raises(KeyError):
        store.sealed([FileHash(path="env.py", sha256="0" * 64)])


# --- migrated ---


def test_the_known_schema_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_the_migrations_make_the_tables_that_the_store_uses(file: Path) -> None:
    open_store(file).entries()
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_every_migration_can_be_undone(file: Path) -> None:
    from alembic import command  # noqa: PLC0415

    open_store(file).entries()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == [VERSION_TABLE]
        assert connection.execute(text(f"SELECT * FROM {VERSION_TABLE}")).all() == []


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(file: Path) -> None:
    open_store(file).entries()
    alter(file, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    before = file.read_bytes()
    with pytest.raises(StoreFailed, match="a newer rulezero made it"):
        open_store(file).entries()
    assert file.read_bytes() == before


def test_opening_says_nothing(file: Path) -> None:
    code = (
        "from pathlib import Path\nfrom rulezero_server.stores import open_store\n"
        f"open_store(Path({str(file)!r})).entries()"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_every_commit_is_synced_to_the_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rulezero_server.stores import engine  # noqa: PLC0415

    with engine.writing(engine.open_engine(file)) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3


# --- what cannot be opened ---


@pytest.mark.parametrize(
    "where",
    [
        "mysql+pymysql://root:hunter2@db/rulezero",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///store.db",
        "no url at all hunter2",
    ],
)
def test_a_url_that_is_no_store_is_refused_without_repeating_it(where: str) -> None:
    with pytest.raises(StoreFailed) as refused:
        open_store(where).entries()
    assert "hunter2" not in str(refused.value)
    assert "://" not in str(refused.value)


def test_a_server_that_does_not_answer_is_told_without_its_url(tmp_path: Path) -> None:
    where = f"postgresql://someone:hunter2@/rulezero?host={tmp_path}&connect_timeout=2"
    with pytest.raises(StoreFailed) as refused:
        open_store(where).entries()
    for part in ("hunter2", "someone", str(tmp_path)):
        assert part not in str(refused.value)
    assert refused.value.advice


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(file: Path) -> None:
    file.write_bytes(b"not a database, but somebody's file. " * 40)
    before = file.read_bytes()
    with pytest.raises(StoreFailed, match="file is not a database"):
        open_store(file).entries()
    assert file.read_bytes() == before


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed):
        open_store(tmp_path / "none" / "store.sqlite3").entries()


def test_a_store_that_could_not_open_opens_once_it_can(tmp_path: Path) -> None:
    store = open_store(tmp_path / "later" / "store.sqlite3")
    with pytest.raises(StoreFailed):
        store.entries()
    (tmp_path / "later").mkdir()
    assert store.entries() == ()


def test_a_value_that_cannot_be_read_is_not_taken_for_a_missing_one(file: Path) -> None:
    store = open_store(file)
    store.entries()
    alter(file, "INSERT INTO rulezero_runs (token_hash, plan_id, value) VALUES ('t', 'p', '{}')")
    with pytest.raises(StoreFailed, match="a run that this version cannot read"):
        store.run("p")


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "100% ünï?x=1#y"
    folder.mkdir()
    open_store(folder / "store.sqlite3").entries()
    assert (folder / "store.sqlite3").stat().st_size > 0


def test_a_sqlite_url_is_a_file(tmp_path: Path) -> None:
    open_store(f"sqlite:///{(tmp_path / 'by-url.sqlite3').as_posix()}").entries()
    assert (tmp_path / "by-url.sqlite3").stat().st_size > 0
