"""Settings files that production does not read are not there; its own hold stand-ins.

What stands in the files of a working tree would make a service find keys that production lacks, and
would hand its code the real secrets. So a file by whose name settings are known does not exist for
this process, and opening a known one opens what was written in its place.
"""

from __future__ import annotations

import builtins
import io
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

_SETTINGS = re.compile(r"(?:\.env(?:\..+)?|.+\.env)$", re.I)
"""`.flaskenv` is none: it goes with the code."""

_OTHERS = re.compile(r"/proc/(?!self/|thread-self/)\d+/(?:environ|mem|maps|fd\b|cwd|root)")
"""What Linux shows of other processes: the server's has the real environment."""


_PATHS = {
    "open": (0,), "os.remove": (0,), "os.rename": (0, 1), "os.truncate": (0,), "os.link": (0, 1),
    "os.symlink": (0, 1), "os.chmod": (0,),
}  # fmt: skip
"""Events about files, and where each has paths."""


class Hidden:
    """Which files are not there, and which have another in their place."""

    def __init__(self, known: Mapping[str, str | None], report: Callable[[str], None]) -> None:
        """Take the absolute paths of settings files, each with what stands in for it, if any."""
        self._known = {os.path.realpath(path): standing for path, standing in known.items()}
        self._names = frozenset(real.rpartition(os.sep)[2] for real in self._known)
        self._standing = frozenset(s for s in self._known.values() if s)
        self._report = report

    def install(self) -> None:
        """From now on."""
        first, second = cast("Any", builtins), cast("Any", io)
        first.open = second.open = self._opening(io.open)
        for name in ("stat", "access"):
            setattr(os, name, self._looking(getattr(os, name), name))
        sys.addaudithook(self._heard)

    def _real(self, path: Any) -> str | None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        try:
            return os.path.realpath(os.fsdecode(path))  # pyright: ignore[reportUnknownArgumentType] - a path of any kind
        except (OSError, ValueError):
            return None

    def _is_gone(self, path: Any) -> bool:
        real = self._real(path)
        if real is None or real in self._standing:
            return False
        if real in self._known:
            return self._known[real] is None
        return _SETTINGS.match(real.rpartition(os.sep)[2]) is not None

    def _opening(self, original: Any) -> Any:
        def opened(file: Any, *args: Any, **kwargs: Any) -> Any:
            standing = self._known.get(self._real(file) or "")
            return original(standing or file, *args, **kwargs)

        return opened

    def _looking(self, original: Any, name: str) -> Any:
        def looked(path: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._is_gone(path):
                return original(path, *args, **kwargs)
            if name == "access":
                return False
            raise _missing(path)

        return looked

    def _heard(self, event: str, args: Any) -> None:
        for number in _PATHS.get(event, ()):
            if isinstance(args[number], (str, bytes)):
                self._hold(args[number])

    def _hold(self, path: Any) -> None:
        """Whatever goes around `open` does not get at the real file either, nor removes it."""
        real = self._real(path)
        if real is None or real in self._standing:
            return
        if _OTHERS.match(real):
            self._report("another process")
            raise PermissionError(1, "rulezero shows nothing of other processes", real)
        # A path may be relative to a folder that no event tells: then its name has to do.
        name = real.rpartition(os.sep)[2]
        apart = not os.path.isabs(os.fsdecode(path)) and name in self._names  # noqa: PTH117
        if apart or real in self._known or self._is_gone(real):
            self._report(name)
            raise _missing(path)


def _missing(path: Any) -> FileNotFoundError:
    return FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
