"""Starts the worker in the project's interpreter, waits, and turns its reply into values."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
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
from rulezero_server.interpreter import OUR_OWN, Interpreter

WORKER = Path(__file__).resolve().parent / "worker" / "__main__.py"

Process = subprocess.Popen[str]

_GRACE = 10.0
"""Seconds in which a killed process must be gone."""


@dataclass(frozen=True, kw_only=True)
class Allow:
    """What the project's code may do while it is read. Only the user's own policy can say so.

    `programs` it may start, by the name that the command line knows or by path; `hosts` it may
    connect to, as `name:port`, `name`, or the path of a unix socket; `write_hooks`: whether the
    project's post-write hooks run, and may start programs, when a revision file is written.
    """

    programs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    write_hooks: bool = False


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a worker is started for. Times are in seconds."""

    found: Found
    interpreter: Interpreter
    variables: Mapping[str, str]
    flask_app: str | None
    timeout: float
    run_timeout: float
    allow: Allow = field(default_factory=Allow)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the worker answered; `interceptions` as it sent them."""

    result: Mapping[str, Any]
    interceptions: tuple[Mapping[str, Any], ...]


def ask(
    target: Target, verb: str, args: Mapping[str, Any] | None = None, *, writable: bool = False
) -> Reply:
    """Carry out one verb in a process of its own and wait for its reply.

    Args:
        target: The project and how to start it.
        verb: One of the worker's verbs.
        args: What the verb takes; JSON.
        writable: Whether its sessions may write. Only the runner asks for that.

    Raises:
        ProjectError: Whatever the worker found wrong, or that it could not answer.
    """
    with conversation(target) as talk:
        return talk.ask(verb, args, writable=writable)


@contextlib.contextmanager
def conversation(target: Target) -> Generator["Conversation"]:
    """A worker that loads the project once and answers until the end of the block.

    When the block ends, nothing that was started is left, and no file.

    Raises:
        InterpreterMissing: The project's Python cannot be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder,
        _started(target, [str(WORKER), folder]) as process,
    ):
        yield Conversation(target, process, Path(folder))


class Conversation:
    """Questions to one worker process, one after another."""

    def __init__(self, target: Target, process: Process, folder: Path) -> None:
        """Talk to `process`, which reads requests and writes replies in `folder`."""
        self._target = target
        self._process = process
        self._folder = folder
        self._asked = 0
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Waiting on a pipe with a time-out is not portable; waiting on a queue is."""
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout or ():
                self._heard.put(line)
        self._heard.put("")

    def ask(
        self, verb: str, args: Mapping[str, Any] | None = None, *, writable: bool = False
    ) -> Reply:
        """Carry out one verb; see the function `ask` for arguments and errors."""
        self._asked += 1
        name = f"{self._asked}"
        request = {
            "verb": verb,
            "writable": writable,
            "args": dict(args or {}),
            "project": _project(self._target),
            "allow": asdict(self._target.allow),
        }
        text = json.dumps(request)
        self._folder.joinpath(f"{name}.request").write_text(text, encoding="utf-8")
        self._say(name)
        self._wait(verb, self._target.run_timeout if writable else self._target.timeout)
        reply = self._folder.joinpath(f"{name}.reply").read_text(encoding="utf-8")
        return _read(self._target, json.loads(reply))

    def _say(self, name: str) -> None:
        # A worker that ended early is noticed where its answer is awaited.
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(f"{name}\n")
                self._process.stdin.flush()

    def _wait(self, verb: str, seconds: float) -> None:
        try:
            heard = self._heard.get(timeout=seconds)
        except queue.Empty as exc:
            raise WorkerTimeout(verb=verb, seconds=f"{seconds:g}") from exc
        if not heard:
            raise WorkerCrashed(verb=verb, status=_status(self._process))


def _status(process: Process) -> object:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(_GRACE)
    return "unknown"


def _project(target: Target) -> dict[str, str | None]:
    found = target.found
    return {
        "flavour": found.flavour,
        "root": str(found.root),
        "config": None if found.config is None else str(found.config),
        "directory": None if found.directory is None else str(found.directory),
        "flask_app": target.flask_app,
    }


@contextlib.contextmanager
def _started(target: Target, arguments: list[str]) -> Generator[Process]:
    try:
        process = subprocess.Popen(
            [str(target.interpreter.path), *arguments],
            cwd=target.found.root,
            env=_environment(target),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as exc:
        raise InterpreterMissing(
            python=str(target.interpreter.path),
            source=target.interpreter.source,
            reason=exc.strerror or type(exc).__name__,
        ) from exc
    try:
        yield process
    finally:
        _kill_group(process)
        process.wait(_GRACE)
        _close(process)


def _close(process: Process) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _kill_group(process: Process) -> None:
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
    return {**inherited, **_activated(target.interpreter.path), **target.variables, **ours}


def _activated(python: Path) -> dict[str, str]:
    """What activating the project's virtual environment sets: its commands are found first."""
    venv = python.parent.parent
    if not (venv / "pyvenv.cfg").is_file():
        return {}
    path = os.pathsep.join(p for p in (str(python.parent), os.environ.get("PATH")) if p)
    return {"PATH": path, "VIRTUAL_ENV": str(venv)}


def _read(target: Target, reply: Mapping[str, Any]) -> Reply:
    if reply["ok"] is not True:
        raise _error(target, reply["error"])
    return Reply(result=reply["result"], interceptions=tuple(reply["interceptions"]))


def _error(target: Target, error: Mapping[str, Any]) -> RulezeroError:
    """The worker's error as ours, with what only the parent knows filled in."""
    source = target.interpreter.source
    facts = {"python": str(target.interpreter.path), "source": source, **error["facts"]}
    if error["kind"] == "ModelImportError" and source == OUR_OWN:
        facts["error"] = f"{facts['error']}; it ran with {source}"
    return PROJECT_ERRORS[error["kind"]](**facts)
