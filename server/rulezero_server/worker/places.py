"""Which file and line of the user's code something came from."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import NamedTuple

_HERE = str(Path(os.path.realpath(__file__)).parent)
_STANDARD = os.path.realpath(sysconfig.get_path("stdlib"))
_LIBRARIES = ("site-packages", "dist-packages")


def relative(path: str, root: str) -> str:
    """`path` as a person names it: under the root, or from its package on; with `/`."""
    real = os.path.realpath(path)
    if real.startswith(root + os.sep):
        return os.path.relpath(real, root).replace(os.sep, "/")
    for folder in (*_LIBRARIES, "lib"):
        _, found, rest = real.rpartition(os.sep + folder + os.sep)
        if found:
            return rest.replace(os.sep, "/")
    return Path(real).name


def is_user_code(path: str, root: str) -> bool:
    """Whether a file is the project's own: under the root and in no virtual environment."""
    inside = os.path.realpath(path).startswith(root + os.sep)
    return inside and not is_library(path) and not path.startswith("<")


def is_library(path: str) -> bool:
    """Whether a file belongs to the standard library, to an installed package, or to us."""
    real = os.path.realpath(path)
    installed = any(os.sep + folder + os.sep in real for folder in _LIBRARIES)
    return installed or real.startswith((_STANDARD + os.sep, _HERE + os.sep))


def is_inside(path: str) -> bool:
    """Whether a place that was found lies in a file that can be named."""
    return path != "?"


def of_error(exc: BaseException, root: str) -> tuple[str, int]:
    """The innermost place of the user's code in a traceback, else the innermost place."""
    return of_errors((exc,), root)


def of_errors(errors: Iterable[BaseException], root: str) -> tuple[str, int]:
    """The place of the first of these errors that came through the user's code."""
    steps = [step for error in errors for step in _innermost_first(error)]
    mine = [step for step in steps if is_user_code(step[0], root)]
    chosen = (mine or steps or [("?", 0)])[0]
    return (relative(chosen[0], root) if chosen[0] != "?" else "?"), chosen[1]


def _innermost_first(exc: BaseException) -> list[tuple[str, int]]:
    if isinstance(exc, SyntaxError) and exc.filename:
        return [(exc.filename, exc.lineno or 0)]
    return list(_steps(exc.__traceback__))[::-1]


def of_text(one: str, other: str, root: str) -> tuple[str, int]:
    """The first line of the user's code that holds both texts."""
    for path in sorted(Path(root).rglob("*.py")):
        if is_user_code(str(path), root):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            for number, line in enumerate(lines, start=1):
                if one in line and other in line:
                    return relative(str(path), root), number
    return "?", 0


def of_caller(root: str) -> tuple[str, int]:
    """The innermost place of the user's code on the present stack."""
    outer: tuple[str, int] | None = None
    for frame in _frames(caller(1)):
        path, line = frame.f_code.co_filename, frame.f_lineno
        if is_user_code(path, root):
            return relative(path, root), line
        outer = outer or (relative(path, root), line)
    return outer or ("?", 0)


def stack() -> Iterator[FrameType]:
    """The frames of whoever calls this, innermost first."""
    yield from _frames(caller(1))


class Origin(NamedTuple):
    """Where something was done; `package` where an installed package did it of its own accord.

    `through` are the files of the standard library that it went through.
    """

    file: str
    line: int
    package: str | None
    through: frozenset[str]


def of_origin(root: str) -> Origin:
    """Who is behind what is going on: the innermost of the present stack's code that is no library.

    A package that does something as it is imported, or in a thread of its own, was not asked to.
    """
    through: set[str] = set()
    own: str | None = None
    first: tuple[str, int, str | None] | None = None
    for frame in _frames(caller(1)):
        path, line = frame.f_code.co_filename, frame.f_lineno
        if path.startswith((_HERE + os.sep, "<")):
            continue
        if not is_library(path):
            return Origin(relative(path, root), line, own, frozenset(through))
        package = _package(path)
        through |= set() if package else {relative(path, _STANDARD)}
        own = own or (package if frame.f_code.co_name == "<module>" else None)
        if package and (first is None or first[2] is None):
            first = (relative(path, root), line, package)
        first = first or (relative(path, root), line, None)
    file, line, package = first or ("?", 0, None)
    return Origin(file, line, package, frozenset(through))


def _package(path: str) -> str | None:
    """The installed package that a file belongs to; None for the standard library."""
    for folder in _LIBRARIES:
        _, found, rest = os.path.realpath(path).rpartition(os.sep + folder + os.sep)
        if found:
            return rest.partition(os.sep)[0].partition(".")[0]
    return None


def caller(levels: int) -> FrameType:
    """The frame `levels` above the one that calls this."""
    return sys._getframe(levels + 1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the cheap way


def raised_in(exc: BaseException, *packages: str) -> bool:
    """Whether the error's traceback passes through one of these packages."""
    parts = [os.sep + package + os.sep for package in packages]
    return any(part in path for path, _ in _steps(exc.__traceback__) for part in parts)


def ended_in(exc: BaseException, package: str) -> bool:
    """Whether the innermost frame of the error's traceback lies in `package`."""
    innermost = [path for path, _ in _steps(exc.__traceback__) if not path.startswith("<")][-1:]
    return any(os.sep + package + os.sep in path for path in innermost)


def _steps(traceback: TracebackType | None) -> Iterable[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The stack outwards, across the greenlets that SQLAlchemy's asyncio runs in."""
    greenlet = sys.modules.get("greenlet")
    current = greenlet.getcurrent() if greenlet is not None else None
    while frame is not None:
        yield frame
        frame = frame.f_back
        if frame is None and current is not None:
            current = current.parent
            frame = getattr(current, "gr_frame", None)
