"""A worker's process: what it is started with, and how one that is started plainly is ended."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

GRACE = 10.0
"""Seconds in which a killed process must be gone."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a worker is started with; `patience`: seconds for which a forked one is waited for."""

    python: Path
    script: Path
    flavour: str
    root: Path
    folder: Path
    variables: Mapping[str, str]
    patience: float


class Worker(Protocol):
    """A process that reads the names of requests, and writes those of replies."""

    @property
    def requests(self) -> IO[str]:
        """What it reads."""
        ...

    @property
    def replies(self) -> IO[str]:
        """What it writes."""
        ...

    def status(self) -> object:
        """How it ended, once it wrote its last: its exit status, or minus a signal's number."""
        ...

    def end(self) -> None:
        """End it, and everything that it started, also what outlived it."""
        ...


def spawned(start: Start) -> Worker:
    """A worker in an interpreter of its own.

    Raises:
        OSError: The interpreter cannot be started.
    """
    process = subprocess.Popen(
        [str(start.python), str(start.script), str(start.folder)],
        cwd=start.root,
        env=start.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    return _Spawned(process)


class Detached(Protocol):
    """A process that nobody's end ends."""

    def wait(self) -> int:
        """Wait until it has ended: its exit status."""
        ...


def detached(start: Start, lock: int | None) -> Detached:
    """A worker that is bound to nobody, by no pipe; it inherits the file `lock`.

    Raises:
        OSError: The interpreter cannot be started.
    """
    flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "CREATE_BREAKAWAY_FROM_JOB")
    handed = "" if lock is None else str(lock)
    return subprocess.Popen(
        [str(start.python), str(start.script), "--run", str(start.folder), handed],
        pass_fds=() if lock is None else (lock,),
        cwd=start.root,
        env=start.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
        creationflags=sum(getattr(subprocess, flag, 0) for flag in flags),
    )


class _Spawned:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        self._process = process
        self.requests: IO[str] = process.stdin
        self.replies: IO[str] = process.stdout

    def status(self) -> object:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(GRACE)
        return "unknown"

    def end(self) -> None:
        _kill(self._process.pid)
        self._process.wait(GRACE)
        closed(self.requests, self.replies)


def closed(*pipes: IO[str]) -> None:
    """Close pipes whose other ends may be gone."""
    for pipe in pipes:
        with contextlib.suppress(OSError):
            pipe.close()


def _kill(pid: int) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], check=False, capture_output=True)
        return
    killed(pid)


def killed(pid: int) -> None:
    """Kill a process group that may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
