"""One request in, one reply out; neither ever touches what the user's code prints to."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from . import errors, intercept, readonly, verbs


def main(request_path: str, reply_path: str) -> None:
    """Answer the request in one file into the other, then end, whatever threads still run."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    _write(Path(reply_path), answer(request))
    os._exit(0)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request; every failure is a reply too."""
    ground = errors.Ground(root=os.path.realpath(request["project"]["root"]))
    recorder = intercept.Recorder(ground)
    try:
        result = _carry_out(request, ground, recorder)
    except BaseException as exc:  # noqa: BLE001 - user code may raise SystemExit and worse
        failure = errors.typed(exc, "app", ground)
        reply = {"ok": False, "error": errors.as_json(failure, recorder.seen)}
    else:
        reply = {"ok": True, "result": result}
    return {**reply, "interceptions": recorder.seen}


def _carry_out(
    request: dict[str, Any], ground: errors.Ground, recorder: intercept.Recorder
) -> dict[str, Any]:
    verb, args, writable = request["verb"], request["args"], request["writable"] is True
    verbs.check(verb, writable=writable)
    os.chdir(ground.root)
    sys.argv[:] = verbs.command_line(verb, request["project"]["flavour"])
    if not writable:
        readonly.before_imports()
    _require("alembic", "sqlalchemy")
    if request["project"]["flavour"] == "flask-migrate":
        _require("flask_migrate")
    readonly.after_imports(writable=writable)
    recorder.install(writable=writable)
    verbs.prepare(verb, args)
    return verbs.call(verb, request["project"], args, ground)


def _require(*packages: str) -> None:
    for package in packages:
        try:
            __import__(package)
        except ModuleNotFoundError as exc:
            if exc.name != package:
                raise
            raise errors.Failure("PackageMissing", package=package) from exc


def _write(path: Path, reply: dict[str, Any]) -> None:
    """Write under another name first: who sees the reply sees the whole of it."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(reply), encoding="utf-8")
    part.replace(path)
