"""A rehearsal's process: how the target is opened, and that everything leads to the shadow."""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from rulezero_policies.errors import AppLoadError, RulezeroError, WorkerTimeout
from rulezero_server import launch, sealing
from rulezero_server.project import WorkerProject

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]

FIRST, HEAD = "1a0c7d2e9f31", "2b8e41f6a05c"


@pytest.fixture
def notes_file(
    copy_project: CopyProject,
    to_head: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """The Flask-Migrate sample at its first revision; its folder, the database beside it."""
    folder = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'target.db'}")
    to_head(folder, revision=FIRST)
    return folder


def rehearsed(
    folder: Path, tmp_path: Path, to: dict[str, Any] | None = None, **more: Any
) -> tuple[dict[str, Any], list[str]]:
    """What the worker answers, and what it said meanwhile."""
    project = WorkerProject.open(folder)
    with project.reading():
        seen, access, files = project.describe(), project.access(), project.files()
    shadow = tmp_path / "shadow.db"
    if access["dialect"] == "sqlite":
        shutil.copy(access["path"], shadow)
    args = {
        "direction": "upgrade",
        "start": list(seen.database.current),
        "to": HEAD,
        "identity": asdict(seen.database.identity),
        "seconds": 30.0,
        "rows": 1000,
        "sealed": sealing.seal(tmp_path, project.target.found.root, files),
    }
    heard: list[str] = []
    where = to or {"dialect": "sqlite", "path": str(shadow)}
    with launch.conversation(project.target) as talk:
        detour = launch.Detour(target=access, to=where)
        given: dict[str, Any] = {"mode": "rehearsing", "shadow": detour, **more}
        reply = talk.ask("rehearse", args, progress=heard.append, **given)
    return dict(reply.result), heard


@pytest.mark.proves("D02")
def test_a_rehearsal_says_what_it_does_and_leaves_the_target_alone(
    notes_file: Path, tmp_path: Path
) -> None:
    target = (tmp_path / "target.db").read_bytes()
    saw, heard = rehearsed(notes_file, tmp_path)
    assert (saw["upgrade"], saw["downgrade"], saw["reupgrade"]) == ("ok", "ok", "ok")
    assert heard[0] == f"rehearsing: upgrade 1 of 1, {HEAD}"
    assert len(heard) == 3
    assert (tmp_path / "target.db").read_bytes() == target


@pytest.mark.proves("A01")
def test_the_target_cannot_be_its_own_shadow(notes_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    link = tmp_path / "link.db"
    link.hardlink_to(target)
    before = target.read_bytes()
    for path in (target, link):
        with pytest.raises(RulezeroError, match="the shadow is the target"):
            rehearsed(notes_file, tmp_path, {"dialect": "sqlite", "path": str(path)})
    assert target.read_bytes() == before


def test_an_app_that_goes_elsewhere_is_refused(
    notes_file: Path, tmp_path: Path, edit: Edit, postgres: str
) -> None:
    project = WorkerProject.open(notes_file)
    assert project.access() == {"dialect": "sqlite", "path": str(tmp_path / "target.db")}
    edit(
        notes_file / "notes/__init__.py",
        "    Migrate(app, db)\n",
        "    Migrate(app, db)\n    import psycopg, sys\n"
        "    if 'upgrade' in sys.argv:\n"
        f"        psycopg.connect({postgres!r})\n",
    )
    with pytest.raises(AppLoadError, match="in a rehearsal: it goes to the shadow"):
        rehearsed(notes_file, tmp_path)


def test_a_driver_that_nobody_watches_is_refused(
    notes_file: Path, tmp_path: Path, edit: Edit
) -> None:
    edit(
        notes_file / "notes/__init__.py",
        "    Migrate(app, db)\n",
        "    Migrate(app, db)\n    import sqlalchemy as sa, sqlite3, sys\n"
        "    if 'upgrade' in sys.argv:\n"
        "        engine = sa.create_engine('sqlite://')\n"
        "        engine.dialect.driver = 'pysqlcipher'\n"
        "        engine.connect()\n",
    )
    with pytest.raises(AppLoadError, match="pysqlcipher well enough"):
        rehearsed(notes_file, tmp_path)


def test_a_process_that_reads_never_rehearses(notes_file: Path) -> None:
    target = WorkerProject.open(notes_file).target
    with launch.conversation(target) as talk:
        talk.ask("describe")
        with pytest.raises(RulezeroError, match="needs a process of its own"):
            talk.ask("rehearse", {}, mode="rehearsing")


def test_what_opens_the_target_stays_in_no_file(
    postgres_url: str, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = sa.make_url(postgres_url)
    query = {**url.query, "sslmode": "prefer", "options": "-c search_path=public"}
    given = url.set(username="postgres", password="canary-7d1", query=query)
    monkeypatch.setenv("DATABASE_URL", given.render_as_string(hide_password=False))
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    target = WorkerProject.open(copy_project("flask_notes")).target
    with launch.conversation(target) as talk:
        found = talk.ask("access").result
        left = [file for file in private.rglob("*") if file.is_file()]
        assert left == []
    assert found["dialect"] == "postgresql"
    assert found["driver"] == {
        "host": url.query["host"],
        "dbname": url.database,
        "user": "postgres",
        "password": "canary-7d1",
        "sslmode": "prefer",
        "options": "-c search_path=public",
    }
    with psycopg.connect(**found["driver"]) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("public",)


def test_a_rehearsal_that_does_not_answer_in_time_is_ended(
    notes_file: Path, tmp_path: Path, edit: Edit
) -> None:
    (revision,) = (notes_file / "migrations/versions").glob(f"{HEAD}*")
    edit(revision, "def upgrade():\n", "def upgrade():\n    while True: pass\n")
    with pytest.raises(WorkerTimeout):
        rehearsed(notes_file, tmp_path, timeout=3.0)
