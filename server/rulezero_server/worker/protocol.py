"""Requests in, replies out, one after another; neither touches what the user's code prints to."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from . import (
    besides,
    databases,
    detour,
    drivers,
    errors,
    guard,
    intercept,
    readonly,
    seccomp,
    verbs,
)


def main(folder: str) -> None:
    """Answer what the parent names, a line a request, until it closes the pipe.

    A request is `NAME.request` in `folder`, its reply `NAME.reply`; the name goes back when the
    reply is there. Then everything ends, whatever threads still run.
    """
    names, done = _private_pipes()

    def progress(text: str) -> None:
        done.write(f"~{' '.join(text.split())}\n")
        done.flush()

    session = Session(progress)
    for name in names:
        request = _request(_path(folder, name, "request"))
        _write(_path(folder, name, "reply"), session.answer(request))
        done.write(name)
        done.flush()
    os._exit(0)


def _request(path: str) -> dict[str, Any]:
    """Read a request and remove it: it may hold what opens a database."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the cheapest start
        request: dict[str, Any] = json.load(file)
    os.unlink(path)  # noqa: PTH108
    return request


def _private_pipes() -> tuple[Any, Any]:
    """The pipes to the parent, moved out of reach of whoever prints or asks for input."""
    names, done = (
        os.fdopen(os.dup(0), encoding="utf-8"),
        os.fdopen(os.dup(1), "w", encoding="utf-8"),
    )
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return names, done


def _path(folder: str, name: str, kind: str) -> str:
    return os.path.join(folder, f"{name.strip()}.{kind}")  # noqa: PTH118 - the cheapest start


class Session:
    """One project, loaded with the first request and kept; the first request sets the mode."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        """Nothing is loaded yet; `progress` is told what is being done."""
        self._progress = progress
        self._mode: str | None = None
        self._ground: errors.Ground | None = None
        self._recorder: intercept.Recorder | None = None
        self._loaded: Any = None
        self._guard: Any = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request; every failure is a reply too."""
        first = self._ground is None
        ground = self._ground or errors.Ground(root=os.path.realpath(request["project"]["root"]))
        recorder = self._recorder or intercept.Recorder(ground)
        self._ground, self._recorder = ground, recorder
        try:
            result = self._carry_out(request, ground, recorder, first=first)
        except BaseException as exc:  # noqa: BLE001 - user code may raise SystemExit and worse
            failure = errors.typed(exc, "app", ground)
            reply = {"ok": False, "error": errors.as_json(failure, recorder.seen)}
        else:
            reply = {"ok": True, "result": result}
        return {**reply, "interceptions": recorder.seen}

    def _carry_out(
        self,
        request: dict[str, Any],
        ground: errors.Ground,
        recorder: intercept.Recorder,
        *,
        first: bool,
    ) -> dict[str, Any]:
        verb, args, mode = request["verb"], request["args"], request["mode"]
        verbs.check(verb, mode)
        if not first and mode != self._mode:
            raise ValueError(f"{mode} needs a process of its own")
        if not first and mode == verbs.RUNNING:
            raise ValueError("a run needs a process of its own")
        self._mode = mode
        sys.argv[:] = verbs.command_line(verb, request["project"]["flavour"])
        if first:
            self._guard = _set_up(request, ground, recorder)
            verbs.prepare(verb, args, ground.root)
        if self._loaded is None:
            self._loaded = verbs.load(verb, request["project"], ground)
            self._loaded.guard, self._loaded.log = self._guard, recorder.log
            self._loaded.progress = self._progress
        self._loaded.database = request["project"].get("database")
        result = verbs.call(verb, self._loaded, args, ground)
        return {**result, "guard": self._guard.kind} if verb == "describe" else result


def _set_up(request: dict[str, Any], ground: errors.Ground, recorder: intercept.Recorder) -> Any:
    """Guard the connections, then import what the project brings, then stand in front of it.

    Returns:
        The guard, which a run has not: a person approved what it does.
    """
    mode = request["mode"]
    os.chdir(ground.root)
    standing = None if mode == verbs.RUNNING else _stand(request, ground, recorder)
    if request["verb"] in verbs.BARE and not _has("alembic", "sqlalchemy"):
        if _has("sqlalchemy"):
            known = standing.databases if standing else None
            readonly.after_imports(writable=mode != verbs.READING, databases=known)
        return standing
    _require("alembic", "sqlalchemy")
    if request["project"]["flavour"] == "flask-migrate" and request["verb"] not in verbs.BARE:
        _require("flask_migrate")
    known = standing.databases if standing else None
    readonly.after_imports(writable=mode != verbs.READING, databases=known)
    recorder.install(migrates=mode != verbs.READING)
    return standing


def _stand(request: dict[str, Any], ground: errors.Ground, recorder: intercept.Recorder) -> Any:
    """Keep the code that is to be loaded from programs, and from databases but its own."""
    standing = guard.install(request.get("allow") or {}, recorder.refused, ground.root)
    standing.databases = databases.Databases(standing)
    if request["mode"] == verbs.REHEARSING:
        standing.shadow = detour.Detour(request["shadow"], standing.databases)
        way = standing.shadow
        detours = detour.Detours if way.alone else besides.Besides
        detours(way, standing.databases, standing.connecting).install()
    else:
        drivers.Drivers(standing.databases, standing.connecting).install()
    if not standing.may_start and seccomp.install():
        standing.kind = "audit hook and seccomp"
    readonly.before_imports(standing.databases, standing.shadow)
    return standing


def _has(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _require(*packages: str) -> None:
    for package in packages:
        try:
            __import__(package)
        except ModuleNotFoundError as exc:
            if exc.name != package:
                raise
            raise errors.Failure("PackageMissing", package=package) from exc


def _write(path: str, reply: dict[str, Any]) -> None:
    """Write under another name first: who sees the reply sees the whole of it."""
    with open(path + ".part", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(reply, file)
    os.replace(path + ".part", path)  # noqa: PTH105
