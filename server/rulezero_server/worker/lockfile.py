"""A file that is locked, for as long as this process lives at most."""

from __future__ import annotations

import os
import sys
import time

TRIES, PAUSE = 5, 0.02
"""How often, and after how many seconds, a lock that may only be looked at is tried again."""


def hold(path: str, *, wait: bool) -> int | None:
    """Lock the file at `path` until what is returned is closed, or this process ends.

    None where somebody else holds it.

    Args:
        path: Made if it is not there; nothing is written into it.
        wait: Whether to wait for whoever has it (on Windows for ten seconds).
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for number in range(1, TRIES + 1):
        try:
            _lock(file, wait=wait)
        except OSError:
            if number < TRIES:
                time.sleep(PAUSE)
        else:
            return file
    os.close(file)
    return None


def is_held(path: str) -> bool:
    """Whether somebody has the lock now; nothing is made, and the lock stays as it is."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _share(file)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, *, wait: bool) -> None:
        msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

    def _share(file: int) -> None:
        _lock(file, wait=False)

else:
    import fcntl

    def _lock(file: int, *, wait: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

    def _share(file: int) -> None:
        # Who only looks must not be taken for a holder by others who look.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
