"""Workers that are forked by a parent which has paid for the imports that every project needs.

There is a parent for each interpreter, kind of project, and set of variables that matter to a
Python as it starts or is imported into; it lives as long as this process, or until what it imported
is no longer what is installed. Whatever goes wrong, the answer is None: then a worker is started
plainly, which costs a second and says what is wrong.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rulezero_server.processes import GRACE, Start, Worker, closed, killed

POSSIBLE = sys.platform not in {"win32", "darwin"} and all(
    hasattr(module, name) for module, name in ((os, "fork"), (os, "waitid"), (socket, "send_fds"))
)
"""On macOS a process that has imported much cannot be forked safely."""

MOST = 4
"""Parents that are kept; an idle one holds some 60 MB."""

RETRY = 300.0
"""Seconds until a parent that could not be used is tried again."""

_HEADER = 8

_STARTING = ("PYTHON", "_PYTHON", "LC_", "LD_", "MALLOC_", "OPENSSL_", "SQLALCHEMY_", "DISABLE_")
_STARTING_TOO = frozenset(
    {"LANG", "LANGUAGE", "HOME", "TZ", "TZDIR", "GLIBC_TUNABLES", "SETUPTOOLS_USE_DISTUTILS"}
)
"""Variables that are read once, by the interpreter or as something is imported."""

_PLAINLY = ("COVERAGE_PROCESS_", "COV_CORE_")
"""Variables by which something else watches a process from its start."""

_FOLDERS = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE")


def forked(start: Start) -> Worker | None:
    """A worker that was forked; None where it has to be started."""
    return _PARENTS.worker(start) if POSSIBLE and _may_share(start) else None


def _may_share(start: Start) -> bool:
    """Whether what a Python is started with is the same wherever, and for whom, it is started."""
    if any(name.startswith(_PLAINLY) for name in start.variables):
        return False
    given = (start.variables.get(name) or os.sep for name in _FOLDERS)
    folders = [folder for value in given for folder in value.split(os.pathsep)]
    return all(map(os.path.isabs, (start.python, *folders))) and start.root.is_dir()


def starting(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of `variables` that a process cannot be given after its start."""
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(_STARTING) or name in _STARTING_TOO
    }


class _Forked:
    """A worker, and the parent that looks after it."""

    def __init__(
        self, parent: "_Parent", pid: int, status: socket.socket, ends: tuple[int, int]
    ) -> None:
        self._parent = parent
        self._pid = pid
        self._status = status
        self._said = b""
        self.requests = open(ends[0], "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a pipe
        self.replies = open(ends[1], encoding="utf-8")  # noqa: PTH123, SIM115

    def status(self) -> object:
        with contextlib.suppress(OSError):
            while b"\n" not in self._said and self._hears():
                pass
        first = self._said.partition(b"\n")[0]
        return int(first) if first else "unknown"

    def _hears(self) -> bool:
        part = self._status.recv(64)
        self._said += part
        return bool(part)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._status.shutdown(socket.SHUT_WR)
            while self._hears():
                pass
        self._status.close()
        if not self._said.endswith(b"gone\n"):  # its parent is not there to do it
            killed(self._pid)
        closed(self.requests, self.replies)
        self._parent.released()


class _UnusableError(Exception):
    """What a parent forks would not be what a plain start is."""


_FAILURES = (OSError, ValueError, LookupError, TypeError, _UnusableError)
"""Of a process that does not start, or says what cannot be read, or says no."""


class _Parent:
    """A process that forks."""

    def __init__(self, start: Start) -> None:
        """Start one, and wait until it has imported everything.

        Raises:
            OSError: It cannot be started, or does not answer in time.
            _UnusableError: It says that what it forks would differ from a plain start.
        """
        self._living = 0
        self._retired = False
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = self._started(start, theirs)
        self._stamps: Mapping[str, list[int]] = {}
        try:
            self._greeted(start)
        except BaseException:
            self._process.kill()
            self._close()
            raise

    def _started(self, start: Start, theirs: socket.socket) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [str(start.python), str(start.script), "--warm", start.flavour],
                cwd=os.sep,
                env=starting(start.variables),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._control.close()
            raise

    def _greeted(self, start: Start) -> None:
        self._control.settimeout(start.patience)
        hello = self._heard()
        # Something that only chooses an interpreter would choose by folder and environment.
        if hello["unfit"] or hello["python"] != str(start.python):
            raise _UnusableError
        self._stamps = hello["stamps"]
        self._control.settimeout(GRACE)

    def _heard(self) -> dict[str, Any]:
        return json.loads(self._exactly(int(self._exactly(_HEADER))))

    def _exactly(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            part = self._control.recv(count - len(read))
            if not part:
                raise ConnectionError
            read += part
        return read

    def is_fresh(self) -> bool:
        """Whether it lives, and what it imported is what is installed."""
        if self._process.poll() is not None:
            return False
        try:
            return all(_stamp(path) == stamp for path, stamp in self._stamps.items())
        except OSError:
            return False

    def worker(self, start: Start) -> Worker:
        """Have it fork.

        Raises:
            OSError: It does not.
        """
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            read, requests = _pipe(theirs, ours)
            replies, write = _pipe(ours, theirs)
            status, listener = socket.socketpair()
            ours.enter_context(status)
            theirs.enter_context(listener)
            pid = self._forks([read, write, listener.fileno()])
            ours.pop_all()
        status.settimeout(GRACE)
        worker = _Forked(self, pid, status, (requests, replies))
        # One that ends before it read this is noticed where its answer is awaited.
        with contextlib.suppress(OSError):
            worker.requests.write(_given(start))
            worker.requests.flush()
        return worker

    def _forks(self, numbers: list[int]) -> int:
        with self._lock:
            try:
                socket.send_fds(self._control, [b"f"], numbers)
                pid = self._heard()["pid"]
            except BaseException:
                self._control.close()  # an answer that comes late is none to another question
                raise
            if pid <= 0:
                raise OSError
            self._living += 1
            return pid

    def released(self) -> None:
        """Note that a worker has ended."""
        with self._lock:
            self._living -= 1
        self._ended()

    def retire(self) -> None:
        """End it, once its last worker has ended."""
        self._retired = True
        self._ended()

    def _ended(self) -> None:
        with self._lock:
            if self._retired and not self._living:
                self._close()

    def _close(self) -> None:
        """It ends when its socket does; if not, it is ended."""
        self._control.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(GRACE)

    def forget(self) -> None:
        """In a copy of this process: it is the other one's."""
        self._control.close()


def _pipe(reading: contextlib.ExitStack, writing: contextlib.ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    reading.callback(os.close, read)
    writing.callback(os.close, write)
    return read, write


def _stamp(path: str) -> list[int]:
    seen = os.stat(path)  # noqa: PTH116 - hundreds of them, with each worker
    return [seen.st_mtime_ns, seen.st_size, seen.st_ino]


def _given(start: Start) -> str:
    """What the worker is to take over, as it would be given to a process that is started."""
    message = {
        "variables": {_bytes(name): _bytes(value) for name, value in start.variables.items()},
        "argv": [_bytes(text) for text in (start.python, start.script, start.folder)],
        "folder": _bytes(start.root),
    }
    text = json.dumps(message)
    return f"{len(text):0{_HEADER}}{text}"


def _bytes(text: str | os.PathLike[str]) -> str:
    return os.fsencode(text).decode("latin-1")


@dataclass(kw_only=True)
class _Place:
    """Where the parent of one key stands; whoever waits for it holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    parent: _Parent | None = None
    closed: bool = False
    not_before: float = 0.0


class Parents:
    """The parents of this process, the one that was asked last at the end."""

    def __init__(self) -> None:
        """There is none yet."""
        self._lock = threading.Lock()
        self._places: dict[object, _Place] = {}
        self._lost: list[_Place] = []

    def worker(self, start: Start) -> Worker | None:
        """A worker that was forked; None where it has to be started."""
        variables = frozenset(starting(start.variables).items())
        key = (start.python, start.script, start.flavour, variables)
        with self._lock:
            place = self._places[key] = self._places.pop(key, None) or _Place()
            surplus = [self._places.pop(old) for old in list(self._places)[:-MOST]]
        for old in surplus:
            _retire(old)
        with place.lock:
            return _worker(place, start)

    def close(self) -> None:
        """End them all."""
        with self._lock:
            places, self._places = list(self._places.values()), {}
        for place in places:
            _retire(place)

    def forget(self) -> None:
        """In a copy of this process: they are the other one's."""
        self._lost.extend(self._places.values())
        for place in self._lost:
            if place.parent is not None:
                place.parent.forget()
        self._lock, self._places = threading.Lock(), {}


def _retire(place: _Place) -> None:
    with place.lock:
        place.closed = True
        _drop(place)


def _drop(place: _Place) -> None:
    parent, place.parent = place.parent, None
    if parent is not None:
        parent.retire()


def _worker(place: _Place, start: Start) -> Worker | None:
    if place.parent is not None and not place.parent.is_fresh():
        _drop(place)
    parent = place.parent or _new(place, start)
    try:
        return parent and parent.worker(start)
    except _FAILURES:
        _drop(place)
        return None


def _new(place: _Place, start: Start) -> _Parent | None:
    if place.closed or time.monotonic() < place.not_before:
        return None
    try:
        place.parent = _Parent(start)
    except _FAILURES:
        place.not_before = time.monotonic() + RETRY
    return place.parent


_PARENTS = Parents()

if POSSIBLE:
    atexit.register(_PARENTS.close)
    os.register_at_fork(after_in_child=_PARENTS.forget)
