"""Removing what a killed process left, at the next start."""

import contextlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path

from rulezero_server.shadows import folders

PID_FILES = ("data/postmaster.pid", "data/server.pid")
"""Where a private server's process id stands in its folder: PostgreSQL's, MariaDB's."""

SOCKETS = ("s/.s.PGSQL.5432", "s/mysql.sock")

_PATIENCE = 5.0
"""Seconds in which a server that was told to stop must be gone."""


def sweep(base: Path | None) -> None:
    """Stop the private servers whose owner is dead, and remove their folders."""
    for folder in folders.left_over(base):
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def stop(folder: Path) -> None:
    """Stop the server that runs in a folder, if one does."""
    for name in PID_FILES:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((folder / name).read_text(encoding="utf-8").split()[0])
            _end(folder, pid)


def _end(folder: Path, pid: int) -> None:
    # A number may be another process's by now: one that answers on the folder's own socket is not.
    if not answers(folder):
        return
    # PostgreSQL's fastest way out that takes its processes along; MariaDB just ends.
    os.kill(pid, getattr(signal, "SIGQUIT", signal.SIGTERM))
    until = time.monotonic() + _PATIENCE
    while answers(folder) and time.monotonic() < until:
        time.sleep(0.02)
    if answers(folder):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def answers(folder: Path) -> bool:
    """Whether a server takes connections on a socket in this folder."""
    return any(_connects(folder / name) for name in SOCKETS)


def _connects(path: Path) -> bool:
    if not hasattr(socket, "AF_UNIX") or not path.exists():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
