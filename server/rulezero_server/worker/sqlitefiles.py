"""While a project is read, nothing but SQLite itself touches an SQLite file, and that read-only.

A revision needs no driver to destroy such a database: it is a file. What is known by its first
bytes, or is the journal of one, is not opened for writing, removed, renamed or cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import errors, places

EVENTS = frozenset({"open", "os.remove", "os.rename", "os.truncate"})

_MAGIC = b"SQLite format 3\x00"

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""A pipe is no SQLite file, and is not to be waited for to find that out."""

_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite reads beside a database, and believes."""


def refusing(
    report: Callable[[str, str, places.Origin], None], root: str
) -> Callable[[str, Sequence[Any]], None]:
    """What refuses one of `EVENTS` when it is about an SQLite file.

    Args:
        report: Is told what was refused.
        root: The project's folder.
    """

    def refuse(event: str, args: Sequence[Any]) -> None:
        for path, folder in _meant(event, args):
            if _is_sqlite(path, folder):
                call = f"{os.path.basename(os.fsdecode(path))}, an SQLite file, to change it"  # noqa: PTH119
                report("connection", call, places.of_origin(root))
                raise errors.RefusedError(
                    f"rulezero lets nobody write to {call} while the project is only read"
                )

    return refuse


def _meant(event: str, args: Sequence[Any]) -> Iterator[tuple[Any, int | None]]:
    """The paths that are to be changed, each with the folder that it is relative to."""
    if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITES):
        return
    given = {"os.rename": ((0, 2), (1, 3)), "os.remove": ((0, 1),)}.get(event, ((0, -1),))
    for path, at in given:
        folder = args[at] if at != -1 and isinstance(args[at], int) and args[at] >= 0 else None
        if isinstance(args[path], (str, bytes)):
            yield args[path], folder


def _is_sqlite(path: Any, folder: int | None) -> bool:
    text = os.fsdecode(path)
    base = next((text[: -len(end)] for end in _BESIDE if text.endswith(end)), text)
    try:
        file = os.open(base, os.O_RDONLY | _NO_WAIT, dir_fd=folder)
    except (OSError, ValueError, NotImplementedError):
        return False
    try:
        return os.read(file, len(_MAGIC)) == _MAGIC
    except OSError:
        return False
    finally:
        os.close(file)
