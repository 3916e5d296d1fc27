"""A service of which no migrations are loaded: its folder, and how its code is imported."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from .. import errors, places  # noqa: TID252 - the worker runs under another package name


class Bare:
    """What verbs find in place of a loaded project."""

    def __init__(self, ground: errors.Ground) -> None:
        """Nothing is loaded."""
        self.ground = ground
        self.root = ground.root
        self.guard: Any = None
        self.log: list[dict[str, Any]] = []
        self.progress: Any = None
        self.database: str | None = None

    def autogenerates(self, *, on: bool) -> None:
        """There is no Alembic to tell."""

    def insist(self) -> None:
        """There is no revision that could be broken."""


def enter(root: str, folder: str) -> None:
    """Work in a service's folder, from where its modules are imported.

    Args:
        root: The project's folder.
        folder: The service's, under it.
    """
    here = os.path.normpath(Path(root, folder))
    os.chdir(here)
    for place in (root, str(Path(here, "src")), here):
        if place not in sys.path and Path(place).is_dir():
            sys.path.insert(0, place)


def named(place: str) -> Any:
    """What "module:name" stands for.

    Raises:
        Exception: Whatever the module raises as it is imported; AttributeError without the name.
    """
    module, _, name = place.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def told(exc: BaseException, root: str) -> dict[str, Any]:
    """An error without its words, in which there may be a row's values: what it is, and where."""
    cause = exc.__cause__ if isinstance(exc, errors.Failure) and exc.__cause__ else exc
    file, line = places.of_error(cause, root)
    return {"error": errors.kind_of(cause), "file": file, "line": line}
