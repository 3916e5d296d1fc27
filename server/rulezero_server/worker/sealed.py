"""Revision files run from the bytes that were approved, wherever the working tree has got to."""

from __future__ import annotations

import builtins
import hashlib
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from alembic.util import pyfiles

from . import modules, places


class SealError(ImportError):
    """A file is not one of those that were approved, or no longer has their bytes."""


class Seal:
    """The approved bytes, by the path that they stand for."""

    def __init__(self, mapping: Mapping[str, Mapping[str, str]], root: str) -> None:
        """Read and verify every sealed copy.

        Args:
            mapping: Absolute original path -> `sealed` (the copy's path) and `sha256` (hex).
            root: The project's folder.

        Raises:
            SealError: A copy is not there, or is not what was approved.
        """
        self._root = root
        self._bytes = {_key(path): _verified(path, copy) for path, copy in mapping.items()}
        self._folders = {os.path.dirname(key) for key in self._bytes}  # noqa: PTH120

    def data(self, path: Any) -> bytes:
        """The approved bytes of a file.

        Raises:
            SealError: It was not approved.
        """
        found = self.known(path)
        if found is None:
            raise SealError(
                f"{os.fspath(path)} was not part of what was approved, so it does not run"
            )
        return found

    def unchanged(self, path: str) -> None:
        """Hold a file that cannot be loaded from given bytes against the approved ones.

        Raises:
            SealError: It was not approved, or is no longer what was.
        """
        if Path(path).read_bytes() != self.data(path):
            raise SealError(f"{path} is not what was approved, so it does not run")

    def known(self, path: Any) -> bytes | None:
        """The approved bytes of a file, or None."""
        return self._bytes.get(_key(path))

    def guards(self, path: str) -> bool:
        """Whether a file is the project's own, or lies in or below a folder of approved files."""
        if places.is_library(path):
            return False
        below = any(str(folder) in self._folders for folder in Path(_key(path)).parents)
        return below or places.is_user_code(path, self._root)


def _key(path: Any) -> str:
    return os.path.normcase(os.path.realpath(os.fsdecode(path)))


def _verified(path: str, copy: Mapping[str, str]) -> bytes:
    try:
        data = Path(copy["sealed"]).read_bytes()
    except OSError as error:
        raise SealError(f"the sealed copy of {path} is not there") from error
    if hashlib.sha256(data).hexdigest() != copy["sha256"]:
        raise SealError(f"the sealed copy of {path} is not what was approved")
    return data


def install(mapping: Mapping[str, Mapping[str, str]], root: str) -> None:
    """From now on the project's code runs from the sealed bytes, and no other code of it runs.

    That is: revision files and env.py, modules imported from the project's folder, and approved
    files read with `open`. Compiled files (.pyc) play no part.

    Args:
        mapping: Absolute original path -> `sealed` (the copy's path) and `sha256` (hex).
        root: The project's folder; code in virtual environments is not the project's.

    Raises:
        SealError: A copy is not there, or is not what was approved.
    """
    seal = Seal(mapping, root)

    def load_module_py(module_id: str, path: Any) -> ModuleType:
        return modules.load(module_id, str(path), seal.data)

    # `open` is one function under two names; pathlib uses the second.
    loader, first, second = cast("Any", pyfiles), cast("Any", builtins), cast("Any", io)
    loader.load_module_py = load_module_py
    sys.meta_path.insert(0, modules.Finder(seal.guards, seal.data, seal.unchanged))
    first.open = second.open = _opener(seal, io.open)


def _opener(seal: Seal, original: Any) -> Any:
    def open_sealed(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        readable = isinstance(file, (str, os.PathLike)) and not set(mode) & set("wax+")
        data = seal.known(file) if readable else None
        if data is None:
            return original(file, mode, *args, **kwargs)
        return _stream(data, mode, *args, **kwargs)

    return open_sealed


def _stream(
    data: bytes,
    mode: str,
    _buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **_: Any,
) -> Any:
    raw = io.BytesIO(data)
    if "b" in mode:
        return raw
    return io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline=newline)
