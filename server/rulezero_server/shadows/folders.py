"""Private folders of shadows: they go with their owner, or with the next start after its death."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

PREFIX = "rulezero-shadow-"

LOCK = "lock"
"""The file that its owner holds locked: a lock ends with its process, however that ends."""


@contextlib.contextmanager
def private(base: Path | None = None, *, passable: bool = False) -> Generator[Path]:
    """A fresh folder that only this user may look into; it is gone at the end of the block.

    Args:
        base: Where it is made; the system's folder for temporary files by default.
        passable: Whether another user, who runs a server in it, may walk through it.
    """
    folder, lock = _made(base)
    try:
        if passable:
            folder.chmod(0o711)
        yield folder
    finally:
        lock.close()  # an open file cannot be removed on every system
        shutil.rmtree(folder, ignore_errors=True)


def _made(base: Path | None) -> tuple[Path, IO[bytes]]:
    # Who sweeps at this very moment may hold the lock, and removes the folder then.
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        lock = taken(folder)
        if lock is not None:
            return folder, lock


def taken(folder: Path) -> IO[bytes] | None:
    """The folder's lock, held until it is closed; None if another process holds it."""
    file = folder.joinpath(LOCK).open("ab")
    try:
        _lock(file)
    except OSError:
        file.close()
        return None
    return file


def left_over(base: Path | None = None) -> Iterator[Path]:
    """The folders of this user whose owner is dead; none of another user, and no link."""
    for folder in Path(base or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if _ours(folder) and (lock := taken(folder)) is not None:
                lock.close()
                yield folder


def _ours(folder: Path) -> bool:
    """Whether this user made it, long enough ago to have been locked."""
    seen = folder.lstat()
    mine = os.name != "posix" or seen.st_uid == os.getuid()
    return mine and folder.is_dir() and not folder.is_symlink() and (folder / LOCK).is_file()


def _lock(file: IO[bytes]) -> None:
    """Lock it for this process, or raise OSError at once."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:
        import msvcrt  # noqa: PLC0415

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # Windows
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
