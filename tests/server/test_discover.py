"""Finding the migrations, and the Python that runs them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rulezero_policies.errors import (
    InterpreterMissing,
    NoMigrations,
    NoProject,
    SeveralProjects,
    UnreadableConfig,
)
from rulezero_server import discover, interpreter
from rulezero_server.settings import Settings

CopyProject = Callable[[str], Path]

INI = "[alembic]\nscript_location = migrations\n"
FLASK_ENV = "from flask import current_app\n"


def _alembic(folder: Path) -> Path:
    (folder / "migrations").mkdir(parents=True)
    (folder / "alembic.ini").write_text(INI, encoding="utf-8")
    return folder


def _flask(folder: Path, where: str = "migrations") -> Path:
    (folder / where).mkdir(parents=True)
    (folder / where / "env.py").write_text(FLASK_ENV, encoding="utf-8")
    (folder / where / "alembic.ini").write_text("[alembic]\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "flavour", "marker"),
    [
        ("flask_notes", "flask-migrate", "migrations"),
        ("alembic_shop", "alembic", "alembic.ini"),
        ("alembic_pyproject", "alembic", "pyproject.toml"),
        ("alembic_async", "alembic", "alembic.ini"),
    ],
)
def test_the_samples_are_found(
    copy_project: CopyProject, name: str, flavour: str, marker: str
) -> None:
    folder = copy_project(name)
    found = discover.find(folder, Settings())
    assert (found.flavour, found.root) == (flavour, folder.resolve())
    assert found.marker == folder.resolve() / marker


@pytest.mark.parametrize("below", ["backend", "services/api"])
def test_a_project_up_to_two_folders_below_is_found(tmp_path: Path, below: str) -> None:
    _alembic(tmp_path / below)
    assert discover.find(tmp_path, Settings()).root == (tmp_path / below).resolve()


@pytest.mark.parametrize(
    "below", ["a/b/c", ".hidden", "node_modules", "venv", "x/.git", "lib/site-packages"]
)
def test_what_lies_deeper_or_belongs_to_others_is_not_looked_at(tmp_path: Path, below: str) -> None:
    _alembic(tmp_path / below)
    with pytest.raises(NoProject):
        discover.find(tmp_path, Settings())


def test_a_virtual_environment_of_any_name_is_not_looked_at(tmp_path: Path) -> None:
    _alembic(tmp_path / "py")
    (tmp_path / "py/pyvenv.cfg").write_text("", encoding="utf-8")
    with pytest.raises(NoProject, match=r"alembic\.ini"):
        discover.find(tmp_path, Settings())


def test_a_folder_that_does_not_exist_holds_no_project(tmp_path: Path) -> None:
    with pytest.raises(NoProject):
        discover.find(tmp_path / "gone", Settings())


def test_two_projects_are_named_until_the_configuration_chooses(tmp_path: Path) -> None:
    _alembic(tmp_path / "one")
    _flask(tmp_path / "two")
    with pytest.raises(SeveralProjects) as caught:
        discover.find(tmp_path, Settings())
    assert "one/alembic.ini, two/migrations" in str(caught.value)
    first = discover.find(tmp_path, Settings(config=tmp_path / "one/alembic.ini"))
    assert first.flavour == "alembic"
    second = discover.find(tmp_path, Settings(config=tmp_path / "two/migrations"))
    assert (second.flavour, second.root) == ("flask-migrate", (tmp_path / "two").resolve())


@pytest.mark.parametrize("config", ["gone.ini", "setup.cfg", "."])
def test_a_chosen_configuration_that_is_none_is_named(tmp_path: Path, config: str) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\n", encoding="utf-8")
    with pytest.raises(NoMigrations):
        discover.find(tmp_path, Settings(config=tmp_path / config))


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic\n", encoding="utf-8")
    with pytest.raises(UnreadableConfig, match=r"alembic\.ini"):
        discover.find(tmp_path, Settings())


def test_flask_runs_where_the_app_is_named(tmp_path: Path) -> None:
    _flask(tmp_path, "app/migrations")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=app\n", encoding="utf-8")
    assert discover.find(tmp_path, Settings()).root == tmp_path.resolve()


def test_alembic_runs_where_its_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "db/migrations").mkdir(parents=True)
    text = "[alembic]\nscript_location = db/migrations\n"
    (tmp_path / "db/alembic.ini").write_text(text, encoding="utf-8")
    assert discover.find(tmp_path, Settings()).root == tmp_path.resolve()


def _venv(folder: Path) -> Path:
    python = folder / "bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("", encoding="utf-8")
    python.chmod(0o755)
    return python


def test_the_setting_comes_before_every_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(_venv(tmp_path / "active").parent.parent))
    _venv(tmp_path / ".venv")
    chosen = _venv(tmp_path / "chosen")
    settings = Settings(python=chosen, origin="rulezero.toml")
    found = interpreter.choose((tmp_path,), settings)
    assert (found.path, found.source) == (chosen, "from rulezero.toml")


def test_a_set_python_may_be_the_environment_s_folder(tmp_path: Path) -> None:
    chosen = _venv(tmp_path / "chosen")
    found = interpreter.choose((tmp_path,), Settings(python=tmp_path / "chosen"))
    assert found.path == chosen


def test_the_active_environment_comes_before_the_project_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = _venv(tmp_path / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    _venv(tmp_path / ".venv")
    found = interpreter.choose((tmp_path,), Settings())
    assert (found.path, found.source) == (active, "VIRTUAL_ENV")


@pytest.mark.parametrize("name", [".venv", "venv"])
def test_the_project_s_environment_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    python = _venv(tmp_path / name)
    found = interpreter.choose((tmp_path,), Settings())
    assert (found.path, found.source) == (python, f"{name} of the project")


def test_without_any_environment_our_own_is_used_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    found = interpreter.choose((tmp_path,), Settings())
    assert found.path == Path(sys.executable)
    assert found.source == "rulezero's own: no virtual environment was found"


def test_a_set_python_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterpreterMissing, match=r"from rulezero\.toml"):
        interpreter.choose((), Settings(python=tmp_path / "gone", origin="rulezero.toml"))
