"""Loading modules from bytes that somebody vouches for, and never from compiled files."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

Data = Callable[[str], bytes]


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from given bytes, under its own path."""

    def __init__(self, name: str, path: str, data: Data) -> None:
        """Load `path` from what `data` says of it."""
        super().__init__(name, path)
        self._data = data

    def get_data(self, path: Any) -> bytes:
        """The module's bytes; other files are read as they stand."""
        return self._data(self.path) if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the base class's signature
        """Compile the bytes: the base class would look for a compiled file first."""
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)


class Finder:
    """Stands before every other finder, and takes over the modules it claims."""

    def __init__(
        self, claims: Callable[[str], bool], data: Data, compiled: Callable[[str], object]
    ) -> None:
        """Claim files by path; load sources from `data`, and have `compiled` look at the rest.

        `compiled` raises to keep an extension module or a sourceless .pyc from being loaded.
        """
        self._claims = claims
        self._data = data
        self._compiled = compiled

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What another finder found, if it is claimed; None for everything else."""
        found: Any = self._found(name, path, target)
        if found is None or not found.has_location:
            return None
        origin = found.origin
        if origin is None or not self._claims(origin):
            return None
        if not origin.endswith(".py"):
            self._compiled(origin)
            return None
        self._data(origin)
        return spec(name, origin, self._data, found.submodule_search_locations)

    def _found(self, name: str, path: Any, target: Any) -> Any:
        for finder in sys.meta_path:
            find: Any = None if finder is self else getattr(finder, "find_spec", None)
            found = find(name, path, target) if find else None
            if found is not None:
                return found
        return None


def spec(name: str, path: str, data: Data, folders: list[str] | None = None) -> Any:
    """The spec of a module that is loaded from `data`."""
    loader = Loader(name, path, data)
    return importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=folders
    )


def load(name: str, path: str, data: Data) -> ModuleType:
    """Load a file as a module, outside `sys.modules`."""
    data(path)
    made: Any = spec(name, path, data)
    module: Any = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module
