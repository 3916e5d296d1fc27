"""Whether another process lives, by the lock that it holds on a file."""

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        del file

    def _share(file: int, *, wait: bool) -> None:
        msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _share(file: int, *, wait: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_SH | (0 if wait else fcntl.LOCK_NB))

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def to_hand_over(path: Path) -> Generator[int | None]:
    """The lock, to be handed to a process that is started; None where files cannot be inherited.

    It is held by whoever has the file open, so that there is no moment in which nobody holds it.
    """
    if sys.platform == "win32":
        yield None
        return
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(file)
        yield file
    finally:
        os.close(file)


class Look:
    """A look at a lock file; while it is `free`, nobody can take the lock until `close`."""

    def __init__(self, path: Path) -> None:
        """Look at the file at `path`, made if it is not there."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _share(self._file, wait=False)
            self.free = True
        except OSError:
            self.free = False

    def __enter__(self) -> "Look":
        """Hold what was found free."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        os.close(self._file)


def wait(path: Path, seconds: float) -> bool:
    """Wait until nobody holds the lock any more: whether that came within `seconds`."""
    freed = threading.Event()

    def hold() -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        while not freed.is_set():
            try:
                _share(file, wait=True)
            except OSError:
                # Windows gives up after ten seconds, and is asked again.
                continue
            freed.set()
        os.close(file)

    threading.Thread(target=hold, daemon=True).start()
    return freed.wait(seconds)
