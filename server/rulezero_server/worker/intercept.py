"""Keeps an app from changing the database while it is only loaded; says where it tried."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from . import errors, places

COMMANDS = {
    "alembic.command": (
        "upgrade", "downgrade", "stamp", "revision", "merge", "init", "edit", "ensure_version",
    ),
    "flask_migrate": (
        "upgrade", "downgrade", "stamp", "revision", "migrate", "merge", "init", "edit",
    ),
}  # fmt: skip
"""Functions that user code has no reason to call while it loads, nor inside a migration."""

LONGEST, MOST = 1000, 50
"""Entries that are kept in all, and in different places."""

METHODS = {"MetaData": ("create_all", "drop_all"), "Table": ("create", "drop")}
"""Methods that a migration may call: they are real while one runs."""


class Recorder:
    """The calls that were kept from running, in order: each place once, and (`log`) each time."""

    def __init__(self, ground: errors.Ground) -> None:
        """Name places relative to the ground's root."""
        self.seen: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self._ground = ground
        self._migrating = False

    def install(self, *, migrates: bool) -> None:
        """Stand in front of every one of those calls; where revisions run, only of the commands."""
        import_module("alembic.command")
        for module_name, names in COMMANDS.items():
            # Flask-Migrate, when it is not loaded yet, calls alembic.command, which stands guarded.
            module = sys.modules.get(module_name)
            for name in names if module else ():
                self._replace(module, name, f"{module_name}.{name}")
        schema = import_module("sqlalchemy.schema")
        for class_name, names in METHODS.items():
            for name in names:
                self._replace(getattr(schema, class_name), name, f"{class_name}.{name}")
        if migrates:
            self._note_runs()

    def _replace(self, owner: Any, name: str, call: str) -> None:
        original = getattr(owner, name, None)
        if original is None:
            return
        is_method = call.partition(".")[0] in METHODS

        @functools.wraps(original)
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            if _called_by_us() or (is_method and self._migrating):
                return original(*args, **kwargs)
            return self._record(call)

        setattr(owner, name, stand_in)

    def _record(self, call: str) -> None:
        file, line = places.of_caller(self._ground.root)
        self._keep({"kind": "change", "call": call, "file": file, "line": line, "package": None})

    def refused(self, kind: str, call: str, origin: places.Origin) -> None:
        """Note what the guard refused: a "program" or a "connection"."""
        place = {"file": origin.file, "line": origin.line, "package": origin.package}
        self._keep({"kind": kind, "call": call, **place})

    def _keep(self, entry: dict[str, Any]) -> None:
        if len(self.log) < LONGEST:
            self.log.append(entry)
        if entry not in self.seen and len(self.seen) < MOST:
            self.seen.append(entry)

    def _note_runs(self) -> None:
        """While Alembic runs the revisions, what they call is what was approved."""
        context = import_module("alembic.runtime.migration").MigrationContext
        original: Callable[..., Any] = context.run_migrations

        @functools.wraps(original)
        def run_migrations(*args: Any, **kwargs: Any) -> Any:
            self._migrating = True
            try:
                return original(*args, **kwargs)
            finally:
                self._migrating = False

        context.run_migrations = run_migrations


def _called_by_us() -> bool:
    """Whether the worker itself makes the call: two frames up stands who called the stand-in."""
    name = places.caller(2).f_globals.get("__name__", "")
    return name.partition(".")[0] == __name__.partition(".")[0] and name != __name__
