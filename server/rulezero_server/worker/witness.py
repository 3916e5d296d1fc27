"""Which of the project's code was loaded, and from which bytes.

A review has to be about the code that is approved and run: revisions, env.py, and the application
that they load. Code that is compiled from a file is noted too (Flask's `config.from_pyfile`).
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from alembic.util import pyfiles

from . import modules, places

_seen: dict[str, set[str]] = {}


def install(root: str) -> None:
    """From now on the project's code is loaded from source, and hashed as it is.

    Args:
        root: The project's folder; code outside it, and in virtual environments, is not noted.
    """

    def load_module_py(module_id: str, path: Any) -> ModuleType:
        return modules.load(module_id, str(path), _read)

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if event == "compile":
            _note(args[0], args[1], root)

    cast("Any", pyfiles).load_module_py = load_module_py
    finder = modules.Finder(lambda path: places.is_user_code(path, root), _read, _remember)
    sys.meta_path.insert(0, finder)
    sys.addaudithook(heard)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _remember(path: str) -> None:
    """An extension module or a sourceless .pyc: nothing is compiled, and it runs all the same."""
    seen = _seen.setdefault(os.path.realpath(path), set())
    seen.add(hashlib.sha256(_read(path)).hexdigest())


def _note(source: Any, filename: Any, root: str) -> None:
    if not isinstance(filename, str) or not filename.endswith(".py"):
        return
    if not os.path.isfile(filename):  # noqa: PTH113 - the cheapest way
        return
    if not places.is_user_code(filename, root):
        return
    # Text need not have the file's bytes: then it is only known that the file was read.
    known = {hashlib.sha256(source).hexdigest()} if isinstance(source, bytes) else set[str]()
    _seen.setdefault(os.path.realpath(filename), set()).update(known)


def loaded(project: Any, _args: dict[str, Any]) -> dict[str, Any]:
    """What was loaded so far: path under the root -> every hash it was loaded with."""
    from .describe import path_under  # noqa: PLC0415 - it needs what this must come before

    return {
        "loaded": {path_under(project.root, path): sorted(seen) for path, seen in _seen.items()}
    }
