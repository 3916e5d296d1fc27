"""Revision files run from the bytes that were approved, wherever the working tree has got to."""

from __future__ import annotations

import builtins
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

from alembic.util import pyfiles


class SealError(ImportError):
    """A file is not one of those that were approved, or no longer has their bytes."""


class Seal:
    """The approved bytes, by the path that they stand for."""

    def __init__(self, mapping: Mapping[str, Mapping[str, str]]) -> None:
        """Read and verify every sealed copy.

        Args:
            mapping: Absolute original path -> `sealed` (the copy's path) and `sha256` (hex).

        Raises:
            SealError: A copy is not there, or is not what was approved.
        """
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

    def known(self, path: Any) -> bytes | None:
        """The approved bytes of a file, or None."""
        return self._bytes.get(_key(path))

    def guards(self, path: str) -> bool:
        """Whether a file lies in, or below, a folder of approved files."""
        return any(str(folder) in self._folders for folder in Path(_key(path)).parents)


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


def install(mapping: Mapping[str, Mapping[str, str]]) -> None:
    """From now on alembic loads revision files and env.py from the sealed bytes, and only those.

    Modules imported from the same folders, and files read from them with `open`, come from the
    sealed bytes too. Compiled files (.pyc) play no part.

    Args:
        mapping: Absolute original path -> `sealed` (the copy's path) and `sha256` (hex).

    Raises:
        SealError: A copy is not there, or is not what was approved.
    """
    seal = Seal(mapping)

    def load_module_py(module_id: str, path: Any) -> ModuleType:
        return _load(seal, module_id, str(path))

    # `open` is one function under two names; pathlib uses the second.
    loader, first, second = cast("Any", pyfiles), cast("Any", builtins), cast("Any", io)
    loader.load_module_py = load_module_py
    sys.meta_path.insert(0, _Finder(seal))
    first.open = second.open = _opener(seal, io.open)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its approved bytes, under its own path."""

    def __init__(self, name: str, path: str, seal: Seal) -> None:
        super().__init__(name, path)
        self._seal = seal

    def get_data(self, path: Any) -> bytes:
        return self._seal.data(path)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the base class's signature
        # The base class would look for a compiled file first.
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)


def _load(seal: Seal, name: str, path: str) -> ModuleType:
    seal.data(path)
    spec = _spec(seal, name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _spec(seal: Seal, name: str, path: str, folders: list[str] | None = None) -> Any:
    loader = _Loader(name, path, seal)
    return importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=folders
    )


class _Finder:
    """Serves what is imported from the folders of approved files."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The module's approved bytes; None for modules that live elsewhere.

        Raises:
            SealError: The module lives among the approved files and is not one of them.
        """
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        origin = None if found is None or not found.has_location else found.origin
        if found is None or origin is None or not self._seal.guards(origin):
            return None
        self._seal.data(origin)
        return _spec(self._seal, name, origin, found.submodule_search_locations)


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
