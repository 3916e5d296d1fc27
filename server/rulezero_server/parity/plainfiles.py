"""Files of a project that are read and replaced as what they are: plain, inside it, of one name."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rulezero_policies.errors import FileRefused
from rulezero_policies.text import visible

LARGEST = 1_000_000
"""Bytes of a settings file; a larger one is none."""

_OPEN = os.O_RDONLY | sum(getattr(os, f, 0) for f in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
"""Neither a link is followed, nor a writer of a named pipe waited for."""


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A file as it was read. Its bytes are kept out of its repr: they hold secrets."""

    content: bytes
    mode: int
    owner: int
    group: int

    def __repr__(self) -> str:
        return f"Plain({len(self.content)} bytes)"


def look(root: Path, path: str, *, to_write: bool = False) -> Plain | None:
    """The file at `path` under `root`; None where there is none.

    Args:
        root: The project's folder, resolved.
        path: The file, with slashes.
        to_write: Whether it must be one that may be replaced.

    Raises:
        FileRefused: It is not a plain text file of one name inside the project.
    """
    place = inside(root, path)
    try:
        file = os.open(place, _OPEN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(path, _why(place, error)) from None
    try:
        seen = os.fstat(file)
        _check(path, seen, to_write=to_write)
        with os.fdopen(file, "rb", closefd=False) as opened:
            content = opened.read(LARGEST + 1)
    finally:
        os.close(file)
    _check_text(path, content)
    return Plain(
        content=content, mode=stat.S_IMODE(seen.st_mode), owner=seen.st_uid, group=seen.st_gid
    )


def inside(root: Path, path: str) -> Path:
    """Where `path` is, without any link on the way.

    Raises:
        FileRefused: It is outside the project, or lies below a link or below no folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path:
        raise refusal(path, "it is outside the project")
    place = root
    for part in parts[:-1]:
        place = place / part
        if place.is_symlink():
            raise refusal(path, "it lies below a symbolic link")
        if not place.is_dir():
            raise refusal(path, "its folder is not there")
    return place / parts[-1]


def refusal(path: str, reason: str) -> FileRefused:
    """What is raised about a file, its path made visible."""
    return FileRefused(path=visible(path), reason=reason)


def _why(place: Path, error: OSError) -> str:
    if place.is_symlink():
        return "it is a symbolic link"
    return "it is a folder" if place.is_dir() else error.strerror or "it cannot be opened"


def _check(path: str, seen: os.stat_result, *, to_write: bool) -> None:
    if stat.S_ISDIR(seen.st_mode):
        raise refusal(path, "it is a folder")
    if not stat.S_ISREG(seen.st_mode):
        raise refusal(path, "it is no plain file")
    if seen.st_size > LARGEST:
        raise refusal(path, f"it is larger than {LARGEST} bytes")
    if to_write and seen.st_nlink > 1:
        raise refusal(path, "it has a second name (a hard link), which would keep the old content")
    if to_write and not seen.st_mode & 0o222:
        raise refusal(path, "it is read-only")


def _check_text(path: str, content: bytes) -> None:
    if len(content) > LARGEST:
        raise refusal(path, f"it is larger than {LARGEST} bytes")
    if b"\0" in content:
        raise refusal(path, "it is binary")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # The error itself would carry the bytes along.
        raise refusal(path, "it is not UTF-8") from None
