"""Which bytes were loaded: a review has to be about the files whose hashes are approved."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from alembic.util import pyfiles

_seen: dict[str, set[str]] = {}


def install() -> None:
    """From now on alembic's revision files and env.py are hashed as they are loaded.

    Compiled files (.pyc) play no part: they need not say what the source says.
    """

    def load_module_py(module_id: str, path: Any) -> ModuleType:
        return _load(module_id, os.path.realpath(str(path)), str(path))

    cast("Any", pyfiles).load_module_py = load_module_py


def _load(name: str, real: str, path: str) -> ModuleType:
    data = Path(real).read_bytes()
    _seen.setdefault(real, set()).add(hashlib.sha256(data).hexdigest())
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    exec(compile(data, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - a module is loaded so
    return module


def loaded(project: Any, _args: dict[str, Any]) -> dict[str, Any]:
    """What was loaded so far: path under the root -> every hash it was loaded with."""
    from .describe import path_under  # noqa: PLC0415 - it needs what this must come before

    return {
        "loaded": {path_under(project.root, path): sorted(seen) for path, seen in _seen.items()}
    }
