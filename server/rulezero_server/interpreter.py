"""Which Python runs the project."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rulezero_policies.errors import InterpreterMissing
from rulezero_server.settings import Settings

OUR_OWN = "rulezero's own: no virtual environment was found"

_VENVS = (".venv", "venv")
_LAYOUTS = ("bin/python", "Scripts/python.exe")


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A Python and, in words, why this one."""

    path: Path
    source: str


def choose(folders: tuple[Path, ...], settings: Settings) -> Interpreter:
    """The setting, else VIRTUAL_ENV, else a virtual environment in `folders`, else our own.

    Raises:
        InterpreterMissing: The setting names a Python that does not exist.
    """
    if settings.python is not None:
        return _set(settings.python, f"from {settings.origin}")
    active = os.environ.get("VIRTUAL_ENV")
    python = _in(Path(active)) if active else None
    if python is not None:
        return Interpreter(path=python, source="VIRTUAL_ENV")
    for folder in folders:
        for name in _VENVS:
            python = _in(folder / name)
            if python is not None:
                return Interpreter(path=python, source=f"{name} of the project")
    return Interpreter(path=Path(sys.executable), source=OUR_OWN)


def of(folder: Path) -> Interpreter | None:
    """The virtual environment in a folder, if there is one."""
    found = (_in(folder / name) for name in _VENVS)
    python = next((path for path in found if path is not None), None)
    return Interpreter(path=python, source=f"the one in {folder.name}") if python else None


def _set(python: Path, source: str) -> Interpreter:
    found = _in(python) if python.is_dir() else shutil.which(python)
    if found is None:
        raise InterpreterMissing(python=str(python), source=source, reason="no such file")
    return Interpreter(path=Path(found).absolute(), source=source)


def _in(venv: Path) -> Path | None:
    return next((venv / layout for layout in _LAYOUTS if (venv / layout).is_file()), None)
