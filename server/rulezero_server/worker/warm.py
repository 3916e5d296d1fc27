"""A parent that has paid for the imports every project needs, and forks a child a conversation.

It is told nothing of a conversation but its file descriptors: the environment, in which there may
be secrets, is read by the child. It is given as its stdin one end of a socket, and lives until the
other end is closed, or nothing was asked of it for long.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import invalidate_caches
from typing import Any

from . import fit, protocol, verbs

IDLE = 600
"""Seconds without a child after which the parent ends by itself."""

HEADER = 8
"""Digits before each message that say how many bytes it has."""


def serve(flavour: str) -> None:
    """Import, say whether that came out well, and fork until nobody can ask for it any more."""
    began = time.time_ns()
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    try:
        stamps = fit.stamps(fit.prepare(flavour))
        fit.check(stamps, began)
    except BaseException as exc:  # noqa: BLE001 - whatever it is, a plain start says it better
        _say(control, {"unfit": type(exc).__name__})
        os._exit(0)
    _say(control, {"unfit": None, "python": sys.executable, "stamps": stamps})
    gc.collect()
    gc.freeze()  # memory that no collection writes to stays shared
    Parent(control).run()


def _say(control: socket.socket, message: Mapping[str, Any]) -> None:
    text = json.dumps(message).encode()
    control.sendall(b"%0*d" % (HEADER, len(text)) + text)


def _woken(_number: int, _frame: Any) -> None:
    """What wakes the parent is the number that is written to its pipe."""


class Child:
    """A process that was forked, and whom to tell how it ended."""

    def __init__(self, pid: int, listener: socket.socket) -> None:
        """It lives, as far as anybody knows."""
        self.pid = pid
        self.listener = listener
        self.told = self.released = False

    def release(self) -> None:
        """End it, with what it started: nobody waits for it any more."""
        self.released = True
        self.kill()

    def kill(self) -> None:
        """Kill its group; itself, where it has none yet."""
        for kill in (os.killpg, os.kill):
            try:
                kill(self.pid, signal.SIGKILL)
            except OSError:
                continue
            return

    def ended(self) -> bool:
        """Say how it ended, once; whether it can be forgotten.

        Until it is released it is not reaped: its number must not become another process's.
        """
        seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if seen is None:
            return False
        if not self.told:
            by_itself = seen.si_code == os.CLD_EXITED
            self._say(b"%d\n" % (seen.si_status if by_itself else -seen.si_status))
            self.told = True
        if self.released:
            self.kill()  # what it started may live on
            os.waitpid(self.pid, 0)
            self._say(b"gone\n")
            self.listener.close()
        return self.released

    def _say(self, text: bytes) -> None:
        with suppress(OSError):
            self.listener.sendall(text)


class Parent:
    """Forks, and looks after what it forked."""

    def __init__(self, control: socket.socket) -> None:
        """Take orders from `control`."""
        self._control = control
        self._children: list[Child] = []
        self._woken, self._wake = os.pipe()

    def run(self) -> None:
        """Sleep until there is something to do; in the end leave no child behind."""
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, _woken)
        signal.set_wakeup_fd(self._wake)
        me = os.getpid()
        try:
            while self._turn():
                pass
        finally:
            if os.getpid() == me:
                for child in self._children:
                    child.kill()
            os._exit(0)

    def _turn(self) -> bool:
        """See to whatever happened; whether to go on."""
        ready = self._awaited()
        if self._woken in ready:
            os.read(self._woken, 4096)
        for child in self._children:
            if child.listener.fileno() in ready:  # it says nothing: its other end is closed
                child.release()
        self._children = [child for child in self._children if not child.ended()]
        return bool(ready) and (self._control.fileno() not in ready or self._ordered())

    def _awaited(self) -> set[int]:
        poll = select.poll()
        held = [child.listener for child in self._children if not child.released]
        for end in (self._control, self._woken, *held):
            poll.register(end, select.POLLIN)
        return {number for number, _ in poll.poll(None if self._children else IDLE * 1000)}

    def _ordered(self) -> bool:
        order, given, _, _ = socket.recv_fds(self._control, 1, 3)
        if not order:
            return False
        requests, replies, status = given
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            self._become(requests, replies, status)
        os.close(requests)
        os.close(replies)
        listener = socket.socket(fileno=status)
        if pid > 0:
            self._children.append(Child(pid, listener))
        _say(self._control, {"pid": pid})
        return True

    def _become(self, requests: int, replies: int, status: int) -> None:
        """Be, in a child, what a plain start would be; this never returns."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._control, *(child.listener for child in self._children)):
                end.close()
            os.dup2(requests, 0)
            os.dup2(replies, 1)
            for number in (self._woken, self._wake, requests, replies, status):
                os.close(number)
            _start_as(json.loads(_exactly(int(_exactly(HEADER)))))
        finally:
            os._exit(1)


def _exactly(count: int) -> bytes:
    """So many bytes of stdin: what comes after them is for others."""
    read = b""
    while len(read) < count:
        part = os.read(0, count - len(read))
        if not part:
            raise EOFError
        read += part
    return read


def _start_as(given: Mapping[str, Any]) -> None:
    """Take over what a process is given as it is started, and answer.

    The parent has no variable that the child is not to have, but those that Python set itself.

    Args:
        given: `variables`, `argv` and `folder` (to work in); every text is bytes, in Latin-1.
    """
    for name, value in given["variables"].items():
        os.environb[name.encode("latin-1")] = value.encode("latin-1")
    os.chdir(given["folder"].encode("latin-1"))
    command = [os.fsdecode(text.encode("latin-1")) for text in given["argv"]]
    sys.argv[:] = command[1:]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = command
    invalidate_caches()
    for verb in verbs.RUNS:  # a run is started for itself
        del verbs.TABLE[verb]
    protocol.main(command[-1])
