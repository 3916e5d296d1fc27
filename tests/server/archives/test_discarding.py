"""The file of a discarded revision goes only by a spent grant, and only as it was approved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server import test_runner as runs

from rulezero_policies.errors import PlanStale, TokenRefused
from rulezero_server.project import WorkerProject

pytestmark = pytest.mark.proves("A19", "C02")

FILE = "migrations/versions/2b8e41f6a05c_events.py"


@pytest.fixture
def project(copy_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerProject:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{(tmp_path / 'd.sqlite').as_posix()}")
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    return WorkerProject.open(copy_project("flask_notes"))


def planned(project: WorkerProject) -> Any:
    files = project.files()
    plan = runs._plan(project, files, kind="discard", to="2b8e41f6a05c")  # pyright: ignore[reportPrivateUsage]
    return replace(plan, path=FILE), files


def run(project: WorkerProject, plan: Any, files: Any, *, spent: Any = runs.NOW) -> Any:
    grant = runs._grant(plan, spent=spent)  # pyright: ignore[reportPrivateUsage]
    permit = runs._permit(grant)  # pyright: ignore[reportPrivateUsage]
    return runs._runner(project, grant).run(permit, plan, files)  # pyright: ignore[reportPrivateUsage]


def test_the_approved_file_goes_and_its_bytes_are_kept(project: WorkerProject) -> None:
    plan, files = planned(project)
    path = Path(project.name) / FILE
    report = run(project, plan, files)
    assert not path.exists()
    assert Path(report.kept).read_bytes() == files[FILE]
    # Nothing was connected to: the database was never made.
    assert project.describe().database.current == ()


def test_without_a_spent_grant_the_file_stays(project: WorkerProject) -> None:
    plan, files = planned(project)
    with pytest.raises(TokenRefused):
        run(project, plan, files, spent=None)
    with pytest.raises(PlanStale):
        run(project, plan, {**files, FILE: b"other"})
    assert (Path(project.name) / FILE).read_bytes() == files[FILE]


@pytest.mark.parametrize("how", ["edited", "a link", "gone"])
def test_a_file_that_is_another_one_by_now_stays(project: WorkerProject, how: str) -> None:
    plan, files = planned(project)
    path, aside = Path(project.name) / FILE, Path(project.name) / "aside.py"
    if how == "edited":
        path.write_bytes(b"edited")
    else:
        path.rename(aside)
    if how == "a link":
        path.symlink_to(aside)
    with pytest.raises(PlanStale, match="is another file now"):
        run(project, plan, files)
    assert path.exists() is (how != "gone")
    assert how == "edited" or aside.read_bytes() == files[FILE]
