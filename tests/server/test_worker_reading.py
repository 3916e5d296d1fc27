"""Describing, comparing and generating, through the project's own configuration."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from rulezero_policies.errors import (
    ChooseDatabase,
    DatabaseNotAtHead,
    NoChanges,
    SeveralDatabases,
    UnknownDatabase,
    UnknownDatabaseRevision,
)
from rulezero_server import launch
from rulezero_server.project import WorkerProject

NEW_COLUMN = ("    starts_at", "    notes = db.Column(db.Text)\n    starts_at")

Edit = Callable[..., None]
CopyProject = Callable[[str], Path]
ToHead = Callable[..., None]


def test_a_flask_migrate_project_is_described(notes: Path, database_url: str) -> None:
    seen = WorkerProject.open(notes).describe()
    assert seen.flavour == "flask-migrate"
    assert seen.script_location == "migrations"
    assert seen.versions == ("migrations/versions",)
    assert seen.heads == seen.database.current == ("2b8e41f6a05c",)
    assert [(r.id, r.down, r.message) for r in seen.revisions] == [
        ("1a0c7d2e9f31", (), "users and tasks"),
        ("2b8e41f6a05c", ("1a0c7d2e9f31",), "events"),
    ]
    assert seen.revisions[1].path == "migrations/versions/2b8e41f6a05c_events.py"
    assert seen.interceptions == ()
    assert seen.database.identity.dialect == database_url.partition(":")[0].partition("+")[0]
    assert seen.database.identity.server_id


@pytest.mark.parametrize("name", ["alembic_shop", "alembic_pyproject", "alembic_async"])
def test_alembic_projects_are_read_whatever_their_configuration(
    name: str, copy_project: CopyProject, to_head: ToHead, edit: Edit
) -> None:
    folder = copy_project(name)
    to_head(folder)
    project = WorkerProject.open(folder)
    seen = project.describe()
    assert seen.flavour == "alembic"
    assert seen.heads == seen.database.current == ("4c11a0b7d2e8",)
    assert seen.database.identity.name == str((folder / "shop.db").resolve())
    assert project.diff().operations == ()
    edit(folder / "shop/models.py", "    price =", "    name = Column(String(80))\n    price =")
    (operation,) = project.diff().operations
    assert (operation.kind, operation.subject) == ("add_column", "products.name")


def test_a_changed_model_is_seen_and_generated_as_the_project_would(
    notes: Path, edit: Edit
) -> None:
    project = WorkerProject.open(notes)
    edit(notes / "notes/models.py", *NEW_COLUMN)
    (operation,) = project.diff().operations
    assert (operation.kind, operation.subject) == ("add_column", "events.notes")
    before = set(project.files())
    made = project.generate("Add notes field to events")
    assert set(project.files()) - before == {made.path}
    assert made.path == f"migrations/versions/{made.revision}_add_notes_field_to_events.py"
    text = (notes / made.path).read_text(encoding="utf-8")
    assert "down_revision = '2b8e41f6a05c'" in text
    assert "with op.batch_alter_table('events', schema=None) as batch_op:" in text


@pytest.mark.proves("A08")
def test_what_is_generated_is_what_flask_db_migrate_writes(
    notes: Path, edit: Edit, to_head: ToHead, run_in: Callable[..., None]
) -> None:
    edit(notes / "notes/models.py", *NEW_COLUMN)
    made = WorkerProject.open(notes).generate("notes")
    ours = (notes / made.path).read_text(encoding="utf-8")
    (notes / made.path).unlink()
    run_in(notes, "flask", "db", "migrate", "-m", "notes", "--rev-id", made.revision)
    theirs = (notes / made.path).read_text(encoding="utf-8")
    assert _without_date(ours) == _without_date(theirs)


def _without_date(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("Create Date")]


@pytest.mark.parametrize("name", ["flask_notes", "alembic_shop"])
def test_nothing_is_generated_when_nothing_changed(
    name: str, copy_project: CopyProject, to_head: ToHead
) -> None:
    folder = copy_project(name)
    to_head(folder)
    project = WorkerProject.open(folder)
    before = sorted(folder.rglob("*.py"))
    with pytest.raises(NoChanges):
        project.generate("nothing")
    assert sorted(folder.rglob("*.py")) == before


@pytest.mark.proves("A17")
def test_a_database_behind_its_revisions_is_named(
    copy_project: CopyProject, to_head: ToHead
) -> None:
    folder = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    with pytest.raises(DatabaseNotAtHead) as caught:
        WorkerProject.open(folder).diff()
    assert str(caught.value) == (
        "The database is at 1a0c7d2e9f31, the newest revision is 2b8e41f6a05c: "
        "1 revision is waiting."
    )


def test_a_database_that_does_not_exist_is_read_as_empty_and_not_made(
    copy_project: CopyProject,
) -> None:
    folder = copy_project("flask_notes")
    seen = WorkerProject.open(folder).describe()
    assert seen.database.current == ()
    assert seen.database.identity.server_id is None
    assert not (folder / "notes.db").exists()


def test_a_project_without_any_revision_is_compared_with_the_empty_database(
    copy_project: CopyProject,
) -> None:
    folder = copy_project("alembic_shop")
    for revision in (folder / "migrations/versions").glob("*.py"):
        revision.unlink()
    project = WorkerProject.open(folder)
    tables = [o.table for o in project.diff().operations if o.kind == "create_table"]
    assert tables == ["products", "order_lines"]
    made = project.generate("first")
    assert project.describe().heads == (made.revision,)
    assert not (folder / "shop.db").exists()


@pytest.mark.proves("A17")
def test_several_heads_are_named(copy_project: CopyProject) -> None:
    project = WorkerProject.open(copy_project("two_heads"))
    assert project.describe().heads == ("5d20e1c8f3a9", "6e31f2d904ba")
    with pytest.raises(DatabaseNotAtHead, match="5d20e1c8f3a9, 6e31f2d904ba"):
        project.diff()


@pytest.mark.proves("A17")
def test_a_database_at_a_revision_nobody_holds_is_named(notes: Path, database_url: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'feedbeef0000'"))
    with pytest.raises(UnknownDatabaseRevision, match="feedbeef0000"):
        WorkerProject.open(notes).describe()


def test_the_project_decides_what_is_compared(notes: Path, edit: Edit) -> None:
    edit(notes / "notes/models.py", *NEW_COLUMN)
    rule = "include_object=lambda o, name, kind, *_: (kind, name) != ('column', 'notes')"
    edit(notes / "notes/__init__.py", "Migrate(app, db)", f"Migrate(app, db, {rule})")
    assert WorkerProject.open(notes).diff().operations == ()


def test_several_databases_in_one_run_are_told_apart_by_name(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("alembic_shop")
    edit(
        folder / "migrations/env.py",
        "else:\n    run_migrations_online()",
        "else:\n    run_migrations_online()\n"
        "    config.set_main_option('sqlalchemy.url', 'sqlite:///other.db')\n"
        "    run_migrations_online()",
    )
    project = WorkerProject.open(folder)
    with pytest.raises(ChooseDatabase, match=r"shop\.db, other\.db"):
        project.describe()
    assert [bind.name for bind in project.databases()] == ["shop.db", "other.db"]
    assert project.on("other.db").describe().database.identity.name.endswith("/other.db")
    with pytest.raises(UnknownDatabase, match="'another'"):
        project.on("another").describe()


def test_several_databases_of_one_name_cannot_be_told_apart(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("alembic_shop")
    once = "else:\n    run_migrations_online()"
    edit(folder / "migrations/env.py", once, f"{once}\n    run_migrations_online()")
    for project in (WorkerProject.open(folder), WorkerProject.open(folder).on("shop.db")):
        with pytest.raises(SeveralDatabases, match=r"under one name.*shop"):
            project.describe()


def test_the_schema_has_one_fingerprint_until_it_changes(notes: Path, database_url: str) -> None:
    project = WorkerProject.open(notes)
    first = project.describe().database.fingerprint
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO events (title) VALUES ('row')"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '1a0c7d2e9f31'"))
    assert project.describe().database.fingerprint == first
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE INDEX by_title ON events (title)"))
    assert project.describe().database.fingerprint != first


def test_the_files_are_everything_that_may_run(notes: Path) -> None:
    (notes / "migrations/helpers.py").write_text("X = 1\n", encoding="utf-8")
    (notes / "migrations/__pycache__").mkdir()
    (notes / "migrations/__pycache__/env.pyc").write_bytes(b"")
    assert set(WorkerProject.open(notes).files()) == {
        "migrations/alembic.ini",
        "migrations/env.py",
        "migrations/helpers.py",
        "migrations/script.py.mako",
        "migrations/versions/1a0c7d2e9f31_users_and_tasks.py",
        "migrations/versions/2b8e41f6a05c_events.py",
        "notes/__init__.py",
        "notes/models.py",
    }


@pytest.mark.proves("A08", "A17")
def test_a_failing_post_write_hook_does_not_hide_the_file_that_was_written(
    copy_project: CopyProject, to_head: ToHead
) -> None:
    folder = copy_project("alembic_shop")
    to_head(folder)
    with (folder / "alembic.ini").open("a", encoding="utf-8") as ini:
        ini.write(
            "\n[post_write_hooks]\nhooks = tidy\ntidy.type = exec\n"
            "tidy.executable = no-such-formatter\ntidy.options = REVISION_SCRIPT_FILENAME\n"
        )
    models = folder / "shop/models.py"
    text = models.read_text(encoding="utf-8")
    models.write_text(
        text.replace("    price =", "    colour = Column(String(9))\n    price ="), encoding="utf-8"
    )
    project = WorkerProject.open(folder)
    allow = launch.Allow(write_hooks=True)
    project.target = replace(project.target, allow=allow)
    made = project.generate("add colour")
    assert (folder / made.path).is_file()
    assert made.revision in (folder / made.path).read_text(encoding="utf-8")
    assert "post-write hook" in (made.note or "")
    assert "no-such-formatter" in (made.note or "")
