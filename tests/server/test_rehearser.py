"""What stands between a review and a shadow: the rehearser at the edge."""

import contextlib
import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import ProjectError
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal
from rulezero_server import rehearser
from rulezero_server.project import WorkerProject
from rulezero_server.rehearser import WorkerRehearser
from rulezero_server.shadows.wishes import Wishes

pytestmark = pytest.mark.proves("D02")

CANARY = "canary-7f3a91"

Rehearse = Callable[..., Rehearsal | NotRehearsed]


@pytest.fixture
def place() -> Iterator[Path]:
    """Where shadows are made; nothing may be left there."""
    folder = Path(tempfile.mkdtemp(prefix="rz-re-"))
    yield folder
    left = list(folder.iterdir())
    shutil.rmtree(folder)
    assert left == []


@pytest.fixture
def shop(
    copy_project: Callable[[str], Path],
    to_head: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """The Flask-Migrate sample, one revision before its head, with a row in it."""
    folder = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{(tmp_path / 'it.db').as_posix()}")
    to_head(folder, revision="1a0c7d2e9f31")
    with contextlib.closing(sqlite3.connect(tmp_path / "it.db")) as made:
        made.execute("INSERT INTO users (email, name) VALUES (?, 'x')", (CANARY,))
        made.commit()
    return folder


@pytest.fixture
def rehearse(shop: Path, place: Path) -> Rehearse:
    """`rehearse(marked=False, **wishes)`: the upgrade to the head, rehearsed."""

    def run(*, marked: bool = False, said: list[str] | None = None, **wishes: Any) -> Any:
        project = WorkerProject.open(shop)
        with project.reading():
            identity = project.describe().database.identity
            files = project.files()
            allowed = replace(Wishes(seconds=60), **wishes)
            return WorkerRehearser(project, allowed, marked=marked, folder=place).rehearse(
                direction="upgrade",
                start=("1a0c7d2e9f31",),
                to="2b8e41f6a05c",
                identity=identity,
                files=files,
                progress=(said if said is not None else []).append,
            )

    return run


def test_a_rehearsal_goes_there_and_back_and_there_on_the_shadow_alone(
    rehearse: Rehearse, tmp_path: Path
) -> None:
    said: list[str] = []
    before = hashlib.sha256((tmp_path / "it.db").read_bytes()).hexdigest()
    shown = rehearse(said=said)
    assert isinstance(shown, Rehearsal)
    assert (shown.saw.upgrade, shown.saw.downgrade, shown.saw.reupgrade) == ("ok", "ok", "ok")
    assert "events" in {t.name for t in shown.saw.there} - {t.name for t in shown.saw.before}
    assert shown.shadow.rows == "the only row"
    assert said[0] == "making a shadow of the database"
    assert len(said) > 1, "the worker says what it is doing"
    assert hashlib.sha256((tmp_path / "it.db").read_bytes()).hexdigest() == before
    assert CANARY not in str(shown)


@pytest.mark.parametrize("marked", [False, True])
def test_rows_of_a_marked_environment_are_not_copied(rehearse: Rehearse, *, marked: bool) -> None:
    shown = rehearse(marked=marked)
    assert isinstance(shown, Rehearsal)
    assert shown.shadow.real is not marked
    assert shown.saw.upgrade == "ok", "Alembic finds the revision that the target is at"


def test_a_person_who_wants_none_has_none(rehearse: Rehearse) -> None:
    answer = rehearse(on=False)
    assert isinstance(answer, NotRehearsed)
    assert "switched off" in answer.reason
    assert "[rehearsal]" in answer.mend


def test_a_shadow_that_cannot_be_made_is_an_answer(rehearse: Rehearse) -> None:
    answer = rehearse(megabytes=0.001)
    assert isinstance(answer, NotRehearsed)


@pytest.mark.parametrize(
    ("does", "words"), [("os._exit(3)", "exit status 3"), ("time.sleep(600)", "within")]
)
def test_a_revision_that_ends_or_holds_the_process_leaves_the_rest_unknown(
    shop: Path,
    rehearse: Rehearse,
    edit: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    words: str,
) -> None:
    (revision,) = (shop / "migrations" / "versions").glob("2b8e41f6a05c*.py")
    edit(revision, "def upgrade():", f"def upgrade():\n    import os, time\n    {does}")
    monkeypatch.setattr(rehearser, "MARGIN", 3.0)
    shown = rehearse(seconds=4)
    assert isinstance(shown, Rehearsal)
    (line,) = shown.saw.not_shown
    assert words in line
    assert shown.saw.upgrade == "skipped"


def test_a_project_that_loads_only_where_it_reaches_more_is_not_rehearsed(
    shop: Path, rehearse: Rehearse, edit: Callable[..., None]
) -> None:
    told = "import os, sys\nif 'upgrade' in sys.argv:\n    raise RuntimeError('no other service')\n"
    edit(
        shop / "notes" / "__init__.py", "from flask import Flask", f"{told}from flask import Flask"
    )
    answer = rehearse()
    assert isinstance(answer, NotRehearsed)
    assert "no other service" in answer.reason
    assert answer.mend


def test_a_project_that_cannot_be_loaded_is_an_error(shop: Path, place: Path) -> None:
    project = WorkerProject.open(shop)
    identity = project.describe().database.identity
    (shop / "migrations" / "env.py").write_text("this is no Python", encoding="utf-8")
    with pytest.raises(ProjectError):
        WorkerRehearser(project, Wishes(), marked=False, folder=place).rehearse(
            direction="upgrade", start=(), to="2b8e41f6a05c", identity=identity, files={}
        )
