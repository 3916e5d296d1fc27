"""Whatever a project does while it is read, its database stays as it is."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rulezero_policies.errors import AppLoadError, ReadOnlyRefused
from rulezero_server.project import WorkerProject

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]
Snapshot = Callable[[str], object]
ToHead = Callable[..., None]

IN_FACTORY = "    Migrate(app, db)\n"


def _in_factory(folder: Path, edit: Edit, code: str) -> None:
    body = "".join(f"        {line}\n" for line in code.splitlines())
    edit(
        folder / "notes/__init__.py",
        IN_FACTORY,
        f"{IN_FACTORY}    import sqlalchemy as sa\n    with app.app_context():\n{body}",
    )


@pytest.mark.proves("D01", "A01")
def test_an_app_that_upgrades_on_start_changes_nothing_and_is_named(
    copy_project: CopyProject,
    database_url: str,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copy_project("flask_upgrades_on_start")
    monkeypatch.setenv("DATABASE_URL", database_url)
    before = snapshot(database_url)
    seen = WorkerProject.open(folder).describe()
    assert [(i.call, i.file, i.line) for i in seen.interceptions] == [
        ("flask_migrate.upgrade", "notes/__init__.py", 19),
        ("MetaData.create_all", "notes/__init__.py", 20),
    ]
    assert seen.database.current == ()
    assert snapshot(database_url) == before


@pytest.mark.proves("D01")
def test_every_way_to_migrate_or_create_is_kept_from_running(
    notes: Path, edit: Edit, snapshot: Snapshot, database_url: str
) -> None:
    calls = """
import alembic.command
import flask_migrate
from notes.models import Event
flask_migrate.stamp()
flask_migrate.downgrade(revision="base")
flask_migrate.migrate(message="sneaky")
config = app.extensions["migrate"].migrate.get_config()
alembic.command.upgrade(config, "head")
alembic.command.downgrade(config, "base")
alembic.command.stamp(config, "base")
db.drop_all()
Event.__table__.drop(db.engine)
Event.__table__.create(db.engine)
"""
    _in_factory(notes, edit, calls.strip())
    before = snapshot(database_url)
    project = WorkerProject.open(notes)
    seen = project.describe()
    assert [i.call for i in seen.interceptions] == [
        "flask_migrate.stamp",
        "flask_migrate.downgrade",
        "flask_migrate.migrate",
        "alembic.command.upgrade",
        "alembic.command.downgrade",
        "alembic.command.stamp",
        "MetaData.drop_all",
        "Table.drop",
        "Table.create",
    ]
    assert len(seen.revisions) == 2
    assert snapshot(database_url) == before


WRITES = [
    "db.session.execute(sa.text(\"INSERT INTO events (title) VALUES ('x')\")); db.session.commit()",
    "c = db.engine.connect(); c.execute(sa.text('DROP TABLE events')); c.commit()",
    "c = db.engine.connect(); c.execute(sa.text('CREATE TABLE x (a INT)')); c.commit()",
    "c = db.engine.raw_connection(); k = c.cursor(); k.execute('DELETE FROM tasks'); c.commit()",
    "with db.engine.begin() as c: c.execute(sa.schema.DropTable(db.metadata.tables['tasks']))",
]


@pytest.mark.proves("D01", "A17")
@pytest.mark.parametrize("code", WRITES)
def test_a_write_by_the_app_is_refused_and_named(
    notes: Path, edit: Edit, snapshot: Snapshot, database_url: str, code: str
) -> None:
    _in_factory(notes, edit, code)
    before = snapshot(database_url)
    with pytest.raises(ReadOnlyRefused) as caught:
        WorkerProject.open(notes).describe()
    assert caught.value.facts["file"] == "notes/__init__.py"
    assert caught.value.facts["line"] == 20
    assert snapshot(database_url) == before


LIFTS = [
    "PRAGMA query_only=OFF",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET default_transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
]


@pytest.mark.parametrize("statement", LIFTS)
def test_a_session_cannot_be_made_writable_again(
    notes: Path, edit: Edit, snapshot: Snapshot, database_url: str, statement: str
) -> None:
    _in_factory(
        notes,
        edit,
        "with db.engine.connect() as c:\n"
        f"    c.execute(sa.text({statement!r}))\n"
        "    c.execute(sa.text(\"INSERT INTO events (title) VALUES ('x')\"))\n"
        "    c.commit()",
    )
    before = snapshot(database_url)
    with pytest.raises((ReadOnlyRefused, AppLoadError)):
        WorkerProject.open(notes).describe()
    assert snapshot(database_url) == before


def test_an_env_py_that_writes_is_refused_and_named(
    copy_project: CopyProject, to_head: ToHead, edit: Edit, snapshot: Snapshot
) -> None:
    folder = copy_project("alembic_async")
    to_head(folder)
    edit(
        folder / "migrations/env.py",
        "    with context.begin_transaction():\n        context.run_migrations()\n\n\nasync",
        "    connection.exec_driver_sql('DELETE FROM products')\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n\n\nasync",
    )
    url = f"sqlite:///{folder / 'shop.db'}"
    before = snapshot(url)
    with pytest.raises(ReadOnlyRefused, match=r"migrations/env\.py, line"):
        WorkerProject.open(folder).describe()
    assert snapshot(url) == before


def _plain_notes(copy_project: CopyProject, to_head: ToHead) -> tuple[Path, str]:
    folder = copy_project("flask_notes")
    to_head(folder)
    return folder, f"sqlite:///{folder / 'notes.db'}"


def test_a_database_in_wal_mode_is_read_with_what_is_still_in_the_log(
    copy_project: CopyProject, to_head: ToHead, snapshot: Snapshot
) -> None:
    folder, url = _plain_notes(copy_project, to_head)
    with closing(sqlite3.connect(folder / "notes.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE late (a INT)")
        before = snapshot(url)
        (operation,) = WorkerProject.open(folder).diff().operations
        assert (operation.kind, operation.table) == ("drop_table", "late")
        assert snapshot(url) == before


def test_an_app_that_sets_wal_mode_on_connect_still_loads(
    copy_project: CopyProject, to_head: ToHead, edit: Edit, snapshot: Snapshot
) -> None:
    folder, url = _plain_notes(copy_project, to_head)
    _in_factory(
        folder,
        edit,
        "@sa.event.listens_for(db.engine, 'connect')\n"
        "def pragmas(connection, _):\n"
        "    connection.execute('PRAGMA journal_mode=WAL')\n"
        "    connection.execute('PRAGMA foreign_keys=ON')\n"
        "    connection.execute('PRAGMA user_version=7')",
    )
    before = snapshot(url)
    assert WorkerProject.open(folder).describe().database.current == ("2b8e41f6a05c",)
    assert snapshot(url) == before


AROUND = [
    "import sqlite3; sqlite3.Connection('other.db')",
    "import _sqlite3; _sqlite3.connect('other.db')",
    "import sqlite3; sqlite3.connect(':memory:').execute(\"ATTACH 'other.db' AS o\")",
    "c = db.engine.raw_connection(); c.execute(\"ATTACH 'other.db' AS o\")",
    "import sqlite3; sqlite3.connect('notes.db').execute(\"VACUUM INTO 'other.db'\")",
    (
        "import sqlite3; c = sqlite3.connect('notes.db'); c.set_authorizer(None);"
        " c.execute('PRAGMA query_only=OFF'); c.execute('DELETE FROM events')"
    ),
    (
        "import sqlite3; c = sqlite3.connect('file:notes.db?mode=rwc', uri=True);"
        " c.execute('DROP TABLE events')"
    ),
    "import sqlite3; sqlite3.connect('missing.db').execute('CREATE TABLE x (a)')",
    (
        "import sqlite3; m = sqlite3.connect(':memory:'); m.execute('CREATE TABLE x (a)');"
        " m.backup(sqlite3.connect('notes.db'))"
    ),
]


@pytest.mark.proves("D01")
@pytest.mark.parametrize("code", AROUND)
def test_no_way_around_the_reading_connection_to_sqlite(
    copy_project: CopyProject, to_head: ToHead, edit: Edit, snapshot: Snapshot, code: str
) -> None:
    folder, url = _plain_notes(copy_project, to_head)
    _in_factory(folder, edit, code)
    before = snapshot(url)
    with pytest.raises(ReadOnlyRefused):
        WorkerProject.open(folder).describe()
    assert snapshot(url) == before
    assert not list(folder.glob("other.db*"))
    assert not list(folder.glob("missing.db*"))


def test_an_app_may_use_a_database_in_memory_while_it_loads(
    copy_project: CopyProject, to_head: ToHead, edit: Edit
) -> None:
    folder, _ = _plain_notes(copy_project, to_head)
    _in_factory(
        folder,
        edit,
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('CREATE TABLE x (a)')",
    )
    assert WorkerProject.open(folder).describe().heads == ("2b8e41f6a05c",)


MARIADB_WRITES = [
    "db.session.execute(sa.text(\"INSERT INTO events (title) VALUES ('x')\")); db.session.commit()",
    "c = db.engine.connect(); c.execute(sa.text('DROP TABLE tasks'))",
    "c = db.engine.connect(); c.execute(sa.text('ALTER TABLE events ADD x INT'))",
    "c = db.engine.connect(); c.execute(sa.text('TRUNCATE events'))",
]


@pytest.mark.slow
@pytest.mark.proves("D01")
@pytest.mark.parametrize("code", MARIADB_WRITES)
def test_mariadb_refuses_what_an_app_writes_while_it_loads(
    copy_project: CopyProject,
    to_head: ToHead,
    edit: Edit,
    snapshot: Snapshot,
    mariadb_url: str,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    folder = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", mariadb_url)
    to_head(folder)
    project = WorkerProject.open(folder)
    seen = project.describe().database
    assert seen.identity.dialect == "mariadb"
    assert seen.identity.server_id
    assert seen.fingerprint
    assert project.diff().operations == ()
    _in_factory(folder, edit, code)
    before = snapshot(mariadb_url)
    with pytest.raises(ReadOnlyRefused, match=r"notes/__init__\.py, line 20"):
        project.describe()
    assert snapshot(mariadb_url) == before
