"""Starts the worker in the project's interpreter, waits, and turns its reply into values."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rulezero_policies.errors import (
    PROJECT_ERRORS,
    InterpreterMissing,
    RulezeroError,
    WorkerCrashed,
    WorkerTimeout,
)
from rulezero_server.discover import Found
from rulezero_server.interpreter import Interpreter

WORKER = Path(__file__).resolve().parent / "worker" / "__main__.py"

_GRACE = 10.0
"""Seconds in which a killed process must be gone."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a worker is started for. Times are in seconds."""

    found: Found
    interpreter: Interpreter
    variables: Mapping[str, str]
    flask_app: str | None
    timeout: float
    run_timeout: float


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the worker answered; `interceptions` as it sent them."""

    result: Mapping[str, Any]
    interceptions: tuple[Mapping[str, Any], ...]


def ask(
    target: Target, verb: str, args: Mapping[str, Any] | None = None, *, writable: bool = False
) -> Reply:
    """Carry out one verb in a fresh process and wait for its reply.

    Args:
        target: The project and how to start it.
        verb: One of the worker's verbs.
        args: What the verb takes; JSON.
        writable: Whether its sessions may write. Only the runner asks for that.

    Raises:
        ProjectError: Whatever the worker found wrong, or that it could not answer.
    """
    seconds = target.run_timeout if writable else target.timeout
    request = {
        "verb": verb,
        "writable": writable,
        "args": dict(args or {}),
        "project": _project(target),
    }
    with tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder:
        question, answer = Path(folder, "request.json"), Path(folder, "reply.json")
        question.write_text(json.dumps(request), encoding="utf-8")
        status = _run(target, verb, [str(WORKER), str(question), str(answer)], seconds)
        if not answer.is_file():
            raise WorkerCrashed(verb=verb, status=status)
        return _read(target, json.loads(answer.read_text(encoding="utf-8")))


def _project(target: Target) -> dict[str, str | None]:
    found = target.found
    return {
        "flavour": found.flavour,
        "root": str(found.root),
        "config": None if found.config is None else str(found.config),
        "directory": None if found.directory is None else str(found.directory),
        "flask_app": target.flask_app,
    }


def _run(target: Target, verb: str, arguments: list[str], seconds: float) -> int:
    """The exit status; when this returns or raises, nothing that was started is left."""
    with _started(target, arguments) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired as exc:
            raise WorkerTimeout(verb=verb, seconds=f"{seconds:g}") from exc


@contextlib.contextmanager
def _started(target: Target, arguments: list[str]) -> Generator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            [str(target.interpreter.path), *arguments],
            cwd=target.found.root,
            env=_environment(target),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as exc:
        raise InterpreterMissing(
            python=str(target.interpreter.path),
            source=target.interpreter.source,
            reason=exc.strerror or type(exc).__name__,
        ) from exc
    with process:
        try:
            yield process
        finally:
            _kill_group(process)
            process.wait(_GRACE)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the worker and everything it started, also what outlived it."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)],
            check=False,
            capture_output=True,
        )
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(target: Target) -> dict[str, str]:
    # A macOS framework Python would take the child for the parent's virtual environment.
    inherited = {k: v for k, v in os.environ.items() if k != "__PYVENV_LAUNCHER__"}
    ours = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    return {**inherited, **target.variables, **ours}


def _read(target: Target, reply: Mapping[str, Any]) -> Reply:
    if reply["ok"] is not True:
        raise _error(target, reply["error"])
    return Reply(result=reply["result"], interceptions=tuple(reply["interceptions"]))


def _error(target: Target, error: Mapping[str, Any]) -> RulezeroError:
    """The worker's error as ours, with what only the parent knows filled in."""
    known = {"python": str(target.interpreter.path), "source": target.interpreter.source}
    return PROJECT_ERRORS[error["kind"]](**{**known, **error["facts"]})
