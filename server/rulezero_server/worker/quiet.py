"""What the standard library starts programs for, done without them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any


def resource_tracker(module: Any) -> None:
    """A lock of multiprocessing would start a process that cleans up after this one."""

    def nothing(*_: Any) -> None:
        """There is no process to tell."""

    module.ResourceTracker._send = nothing  # noqa: SLF001 - what registering ends in


def ctypes_util(module: Any) -> None:
    """`find_library` asks ldconfig, a compiler and a linker; on Linux the folders say it, too."""
    if not sys.platform.startswith("linux") or not hasattr(module, "_findSoname_ldconfig"):
        return
    module._findSoname_ldconfig = _soname  # noqa: SLF001 - it has no other place to be told
    module._findLib_gcc = module._findLib_ld = _nowhere  # noqa: SLF001


def _nowhere(_name: str) -> None:
    """A compiler and a linker know no more than the folders do."""


def _soname(name: str) -> str | None:
    pattern = re.compile(rf"lib{re.escape(name)}\.so(?:\.[\w.]*)?")
    found = (
        entry
        for folder in _folders()
        for entry in sorted(os.listdir(folder))  # noqa: PTH208
    )
    matching = [entry for entry in found if pattern.fullmatch(entry)]
    versioned = [entry for entry in matching if not entry.endswith(".so")]
    return min(versioned or matching, key=len, default=None)


def _folders() -> Iterator[str]:
    given = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    common = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
    multiarch = getattr(sys.implementation, "_multiarch", "")
    for folder in (*given, *(f"{c}/{multiarch}" for c in common if multiarch), *common):
        if folder and os.path.isdir(folder):  # noqa: PTH112
            yield folder
