"""The wheel: what it brings, and that it runs where nothing else of this repository is."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("server/rulezero_server", "tools/rulezero_tools", "policies/rulezero_policies")
LEFT_OUT = {"__pycache__"}
PYTHON = "python.exe" if os.name == "nt" else "python"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the build backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[PurePosixPath]:
    """Every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return [PurePosixPath(name) for name in archive.namelist()]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts' folder of a fresh virtual environment that holds the wheel.

    What the wheel depends on is borrowed from the environment that runs the tests.
    """
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False)
    scheme = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    here = sysconfig.get_paths()["purelib"]
    Path(scheme["purelib"], "borrowed.pth").write_text(here, encoding="utf-8")
    python = Path(scheme["scripts"], PYTHON)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed"]
    subprocess.run([*pip, *options, str(wheel)], check=True, capture_output=True)
    return Path(scheme["scripts"])


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run away from the repository, with nothing of this environment in the way."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV_"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=Path(command[0]).parent,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_brings_only_rulezeros_names(names: list[PurePosixPath]) -> None:
    tops = {name.parts[0] for name in names}
    metadata = {top for top in tops if top.endswith(".dist-info")}
    assert len(metadata) == 1
    assert tops - metadata == {"rulezero_policies", "rulezero_tools", "rulezero_server"}


def _sources() -> Iterator[str]:
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and not LEFT_OUT & set(file.parts):
                yield file.relative_to((ROOT / package).parent).as_posix()


def test_the_wheel_brings_every_file_of_the_packages(names: list[PurePosixPath]) -> None:
    inside = {str(name) for name in names if not name.parts[0].endswith(".dist-info")}
    assert inside == set(_sources())


@pytest.mark.parametrize(
    "needed",
    [
        "rulezero_server/stores/migrations/env.py",
        "rulezero_server/stores/migrations/script.py.mako",
        "rulezero_server/stores/migrations/versions/0001_first.py",
        "rulezero_server/worker/__main__.py",
        "rulezero_server/py.typed",
        "rulezero_tools/py.typed",
        "rulezero_policies/py.typed",
    ],
)
def test_the_wheel_brings_what_is_read_as_a_file(names: list[PurePosixPath], needed: str) -> None:
    assert PurePosixPath(needed) in names


def test_the_wheel_brings_no_test_and_no_compiled_file(names: list[PurePosixPath]) -> None:
    wrong = [n for n in names if n.name.startswith(("test_", "conftest")) or n.suffix == ".pyc"]
    assert wrong == []


def test_the_command_is_installed_and_says_its_version(installed: Path, wheel: Path) -> None:
    (command,) = installed.glob("rulezero*")
    done = run(command, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["rulezero", wheel.name.split("-")[1]]


def test_the_installed_store_makes_its_tables(installed: Path, tmp_path: Path) -> None:
    python = installed / PYTHON
    code = (
        "import pathlib, sys, rulezero_server.stores as stores\n"
        "print(stores.__file__)\n"
        "print(stores.open_store(pathlib.Path(sys.argv[1])).entries())"
    )
    done = run(python, "-c", code, tmp_path / "store.sqlite3")
    assert (done.returncode, done.stderr) == (0, "")
    place, entries = done.stdout.splitlines()
    assert Path(place).is_relative_to(installed.parent)
    assert entries == "()"
