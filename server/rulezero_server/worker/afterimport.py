"""Changing modules of other packages as they are imported, without importing them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


class AfterImport:
    """A finder that finds nothing by itself: it has others find, and acts when they have loaded."""

    def __init__(self, wanted: Mapping[str, Callable[[Any], None]]) -> None:
        """Call `wanted[name]` with the module of that name, once it is loaded."""
        self._wanted = dict(wanted)
        self._finding: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What another finder found, if the module is wanted; None for everything else."""
        act = self._wanted.get(name)
        if act is None or name in self._finding:  # other finders ask all finders, too
            return None
        self._finding.add(name)
        try:
            spec = self._found(name, path, target)
        finally:
            self._finding.discard(name)
        if spec is not None and spec.loader is not None:
            _act_after(spec.loader, name, act)
        return spec

    def _found(self, name: str, path: Any, target: Any) -> Any:
        for finder in sys.meta_path:
            find: Any = None if finder is self else getattr(finder, "find_spec", None)
            found = find(name, path, target) if find else None
            if found is not None:
                return found
        return None


def _act_after(loader: Any, name: str, act: Callable[[Any], None]) -> None:
    load = loader.exec_module

    def exec_module(module: Any) -> None:
        load(module)
        if module.__name__ == name:
            act(module)

    loader.exec_module = exec_module
