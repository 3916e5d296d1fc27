"""Starts the worker in the project's interpreter, waits, and turns its reply into values."""

import contextlib
import json
import os
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rulezero_policies.errors import (
    PROJECT_ERRORS,
    InterpreterMissing,
    RulezeroError,
    WorkerCrashed,
    WorkerTimeout,
)
from rulezero_server import processes, warm
from rulezero_server.discover import Found
from rulezero_server.interpreter import OUR_OWN, Interpreter

WORKER = Path(__file__).resolve().parent / "worker" / "__main__.py"

Mode = Literal["reading", "rehearsing", "running"]
"""What a worker process may do: read, write to a shadow alone, or run what was approved."""

_PROGRESS = "~"
"""How a line of the worker begins that says what it is doing."""

_PATIENCE = 20.0
"""Seconds after which a worker is started without waiting any longer for one to be forked."""


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
class Limits:
    """How long a run waits, in seconds, and how often it tries again. Only the user's policy says.

    `statement_timeout` None leaves a statement the time that the session gives it.
    """

    lock_timeout: float = 5.0
    statement_timeout: float | None = None
    retries: int = 3


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a worker is started for. Times are in seconds.

    `database` names the one that is meant where the project migrates several. One that is `alone`
    gets `variables` and none of this process's own but PATH.
    """

    found: Found
    interpreter: Interpreter
    variables: Mapping[str, str]
    flask_app: str | None
    timeout: float
    run_timeout: float
    allow: Allow = field(default_factory=Allow)
    limits: Limits = field(default_factory=Limits)
    database: str | None = None
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the worker answered; `interceptions` as it sent them."""

    result: Mapping[str, Any]
    interceptions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Detour:
    """Where a rehearsal's connections to the target lead instead, as the worker has it.

    `target` is what the verb `access` said; `to` has the same shape and holds a secret.
    """

    target: Mapping[str, Any]
    to: Mapping[str, Any] = field(repr=False)


def ask(
    target: Target,
    verb: str,
    args: Mapping[str, Any] | None = None,
    *,
    mode: Mode = "reading",
) -> Reply:
    """Carry out one verb in a process of its own and wait for its reply.

    Args:
        target: The project and how to start it.
        verb: One of the worker's verbs.
        args: What the verb takes; JSON.
        mode: What its sessions may do. Only the runner asks for "running".

    Raises:
        ProjectError: Whatever the worker found wrong, or that it could not answer.
    """
    with conversation(target, mode) as talk:
        return talk.ask(verb, args, mode=mode)


def _unheard(_text: str) -> None:
    """Nobody listens to what is being done."""


@contextlib.contextmanager
def conversation(target: Target, mode: Mode = "reading") -> Generator["Conversation"]:
    """A worker that loads the project once and answers until the end of the block.

    When the block ends, nothing that was started for it is left, and no file.

    Args:
        target: The project and how to start it.
        mode: What will be asked for: a run is not to be forked from anything.

    Raises:
        InterpreterMissing: The project's Python cannot be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder,
        _started(target, Path(folder), mode) as worker,
    ):
        yield Conversation(target, worker, Path(folder))


class Conversation:
    """Questions to one worker process, one after another."""

    def __init__(self, target: Target, worker: processes.Worker, folder: Path) -> None:
        """Talk to `worker`, which reads requests and writes replies in `folder`."""
        self._target = target
        self._worker = worker
        self._folder = folder
        self._asked = 0
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Waiting on a pipe with a time-out is not portable; waiting on a queue is."""
        with contextlib.suppress(OSError, ValueError):
            for line in self._worker.replies:
                self._heard.put(line)
        self._heard.put("")

    def ask(
        self,
        verb: str,
        args: Mapping[str, Any] | None = None,
        *,
        mode: Mode = "reading",
        shadow: Detour | None = None,
        progress: Callable[[str], None] = _unheard,
        timeout: float | None = None,
        database: str | None = None,
    ) -> Reply:
        """Carry out one verb; see the function `ask` for the other arguments and errors.

        Args:
            verb: One of the worker's verbs.
            args: What the verb takes; JSON.
            mode: What the process may do; the first question sets it.
            shadow: Where a rehearsal's connections lead; no other mode has one.
            progress: Is told what is being done, in a few words.
            timeout: Seconds to wait for the reply; None for the target's own.
            database: The one that is meant of several; None for the target's own.
        """
        self._asked += 1
        name = f"{self._asked}"
        meant = self._target if database is None else replace(self._target, database=database)
        text = request(meant, verb, args, mode=mode, shadow=shadow)
        self._folder.joinpath(f"{name}.request").write_text(text, encoding="utf-8")
        self._say(name)
        usual = self._target.run_timeout if mode == "running" else self._target.timeout
        self._wait(verb, usual if timeout is None else timeout, progress)
        reply = self._folder.joinpath(f"{name}.reply")
        said = json.loads(reply.read_text(encoding="utf-8"))
        reply.unlink()  # it may hold what opens a database
        return read(self._target, said)

    def _say(self, name: str) -> None:
        # A worker that ended early is noticed where its answer is awaited.
        with contextlib.suppress(OSError, ValueError):
            self._worker.requests.write(f"{name}\n")
            self._worker.requests.flush()

    def _wait(self, verb: str, seconds: float, progress: Callable[[str], None]) -> None:
        end = time.monotonic() + seconds
        heard = _PROGRESS
        while heard.startswith(_PROGRESS):
            try:
                heard = self._heard.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty as exc:
                raise WorkerTimeout(verb=verb, seconds=f"{seconds:g}") from exc
            if heard.startswith(_PROGRESS):
                progress(heard[len(_PROGRESS) :].strip())
        if not heard:
            raise WorkerCrashed(verb=verb, status=self._worker.status())


def _plain(shadow: Detour) -> dict[str, Any]:
    return {"target": dict(shadow.target), "to": dict(shadow.to)}


def request(
    target: Target,
    verb: str,
    args: Mapping[str, Any] | None = None,
    *,
    mode: Mode = "reading",
    shadow: Detour | None = None,
) -> str:
    """What the worker reads, as JSON; where a project's database is, its environment says."""
    asked = {
        "verb": verb,
        "mode": mode,
        "args": dict(args or {}),
        "project": _project(target),
        "allow": asdict(target.allow),
        "shadow": None if shadow is None else _plain(shadow),
    }
    return json.dumps(asked)


HANDED = "RULEZERO_RUN_HANDED"
"""The variable by which a run is handed what may stand in no file."""


def begin(
    target: Target,
    folder: Path,
    lock: int | None = None,
    *,
    secret: Mapping[str, Any] | None = None,
) -> processes.Detached:
    """Start a run of its own on the request in `folder`: nobody's end ends it, no pipe binds it.

    Args:
        target: The project and how to start it.
        folder: Where the request is.
        lock: A file that is locked, and stays so for as long as the run lives.
        secret: What it needs to know beside the request, and no file may hold.

    Raises:
        InterpreterMissing: The project's Python cannot be started.
    """
    try:
        return processes.detached(_start(target, folder, secret), lock)
    except OSError as exc:
        raise _missing(target, exc) from exc


def _start(
    target: Target, folder: Path, secret: Mapping[str, Any] | None = None
) -> processes.Start:
    return processes.Start(
        python=target.interpreter.path,
        script=WORKER,
        flavour=target.found.flavour,
        root=target.found.root,
        folder=folder,
        variables=_environment(target) | ({HANDED: json.dumps(secret)} if secret else {}),
        patience=min(target.timeout, _PATIENCE),
    )


def _missing(target: Target, exc: OSError) -> InterpreterMissing:
    return InterpreterMissing(
        python=str(target.interpreter.path),
        source=target.interpreter.source,
        reason=exc.strerror or type(exc).__name__,
    )


def _project(target: Target) -> dict[str, str | None]:
    found = target.found
    return {
        "flavour": found.flavour,
        "root": str(found.root),
        "config": None if found.config is None else str(found.config),
        "directory": None if found.directory is None else str(found.directory),
        "flask_app": target.flask_app,
        "database": target.database,
    }


@contextlib.contextmanager
def _started(target: Target, folder: Path, mode: Mode) -> Generator[processes.Worker]:
    start = _start(target, folder)
    # What a person approved runs in a process that nothing else ever ran in.
    plainly = mode == "running" or target.alone
    worker = None if plainly else warm.forked(start)
    try:
        worker = worker or processes.spawned(start)
    except OSError as exc:
        raise _missing(target, exc) from exc
    try:
        yield worker
    finally:
        worker.end()


def _environment(target: Target) -> dict[str, str]:
    # A macOS framework Python would take the child for the parent's virtual environment.
    inherited = {k: v for k, v in os.environ.items() if k != "__PYVENV_LAUNCHER__"}
    if target.alone:
        inherited = {k: v for k, v in inherited.items() if k == "PATH"}
    ours = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    path = _activated(target.interpreter.path)
    return {**inherited, **path, **target.variables, **ours}


def _activated(python: Path) -> dict[str, str]:
    """What activating the project's virtual environment sets: its commands are found first."""
    venv = python.parent.parent
    if not (venv / "pyvenv.cfg").is_file():
        return {}
    path = os.pathsep.join(p for p in (str(python.parent), os.environ.get("PATH")) if p)
    return {"PATH": path, "VIRTUAL_ENV": str(venv)}


def read(target: Target, reply: Mapping[str, Any]) -> Reply:
    """A reply as the worker wrote it.

    Raises:
        ProjectError: What it says went wrong.
    """
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
