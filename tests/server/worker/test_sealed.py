"""Revision files run from the bytes that were approved."""

import hashlib
import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.util import load_python_file

from rulezero_server.worker import sealed
from rulezero_server.worker.sealed import SealError

Seal = Callable[..., None]

pytestmark = [pytest.mark.proves("D03"), pytest.mark.usefixtures("unsealed")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    return made


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    """`seal(path, ...)`: seal these files as they are now."""

    def install(*files: Path) -> None:
        sealed.install({str(file): copy(file) for file in files}, str(tmp_path / "migrations"))

    def copy(file: Path) -> dict[str, str]:
        data = file.read_bytes()
        target = tmp_path / hashlib.sha256(str(file).encode()).hexdigest()
        target.write_bytes(data)
        return {"sealed": str(target), "sha256": hashlib.sha256(data).hexdigest()}

    return install


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_approved_bytes_run_whatever_the_file_says_now(folder: Path, seal: Seal) -> None:
    file = write(folder / "a1.py", "VALUE = 'approved'\nHERE = __file__\n")
    seal(file)
    write(file, "VALUE = 'swapped'\n")
    module: Any = load_python_file(str(folder), "a1.py")
    assert module.VALUE == "approved"
    assert Path(module.HERE) == file


def test_a_compiled_file_beside_it_plays_no_part(folder: Path, seal: Seal) -> None:
    file = write(folder / "a1.py", "VALUE = 'swapped!'\n")
    load_python_file(str(folder), "a1.py")  # leaves its .pyc
    write(file, "VALUE = 'approved'\n")
    seal(file)
    assert load_python_file(str(folder), "a1.py").VALUE == "approved"


def test_a_traceback_names_the_real_file(folder: Path, seal: Seal) -> None:
    file = write(folder / "a1.py", "def upgrade():\n    raise ValueError\n")
    seal(file)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it has no text
        load_python_file(str(folder), "a1.py").upgrade()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (Path(last.filename), last.lineno) == (file, 2)


def test_a_file_that_was_not_approved_does_not_run(folder: Path, seal: Seal) -> None:
    seal(write(folder / "a1.py", ""))
    new = write(folder / "b2.py", "raise AssertionError('it ran')\n")
    with pytest.raises(SealError, match=r"b2\.py was not part of what was approved"):
        load_python_file(str(folder), new.name)


@pytest.mark.parametrize("damage", [b"VALUE = 'other'\n", None])
def test_a_damaged_or_missing_copy_is_refused(
    folder: Path, tmp_path: Path, damage: bytes | None
) -> None:
    file = write(folder / "a1.py", "VALUE = 1\n")
    copy = tmp_path / "copy"
    if damage is not None:
        copy.write_bytes(damage)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(SealError, match=r"a1\.py is not"):
        sealed.install({str(file): {"sealed": str(copy), "sha256": digest}}, str(folder))


def test_modules_beside_the_revisions_come_from_their_approved_bytes(
    folder: Path, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    helper = write(folder / "sealed_helper.py", "VALUE = 'approved'\n")
    (folder / "sealed_package").mkdir()
    inner = write(folder / "sealed_package" / "__init__.py", "VALUE = 'approved too'\n")
    seal(helper, inner)
    write(helper, "VALUE = 'swapped'\n")
    write(inner, "VALUE = 'swapped'\n")
    write(folder / "sealed_new.py", "raise AssertionError('it ran')\n")
    try:
        assert importlib.import_module("sealed_helper").VALUE == "approved"
        assert importlib.import_module("sealed_package").VALUE == "approved too"
        with pytest.raises(SealError):
            importlib.import_module("sealed_new")
    finally:
        for name in ("sealed_helper", "sealed_package"):
            sys.modules.pop(name, None)


def test_modules_elsewhere_are_imported_as_ever(
    folder: Path, seal: Seal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(write(folder / "a1.py", ""))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere / "unsealed_module.py", "VALUE = 'free'\n")
    monkeypatch.setattr(sys, "path", [str(elsewhere), *sys.path])
    try:
        assert importlib.import_module("unsealed_module").VALUE == "free"
    finally:
        sys.modules.pop("unsealed_module", None)


def test_data_files_are_read_from_their_approved_bytes(folder: Path, seal: Seal) -> None:
    data = write(folder / "seed.sql", "approved ü\n")
    seal(data)
    write(data, "swapped\n")
    assert data.read_text(encoding="utf-8") == "approved ü\n"
    assert data.read_bytes() == "approved ü\n".encode()
    with open(str(data), encoding="utf-8") as file:  # noqa: PTH123 - that is what is tested
        assert list(file) == ["approved ü\n"]


def test_other_files_can_be_read_and_written(folder: Path, seal: Seal) -> None:
    seal(write(folder / "a1.py", ""))
    log = write(folder / "log.txt", "one\n")
    with log.open("a", encoding="utf-8") as file:
        file.write("two\n")
    assert log.read_text(encoding="utf-8") == "one\ntwo\n"
