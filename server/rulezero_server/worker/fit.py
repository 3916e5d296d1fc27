"""The imports that every project needs, and whether what was imported may be shared by forking.

Nothing of a project may run here. What is imported is what a plain start imports before anything of
a project does, and further modules of the same packages: a project with a module of a third-party
name gets the one that it would get otherwise.
"""

from __future__ import annotations

import os
import site
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from . import places, verbs

_ALEMBIC = (
    "alembic", "sqlalchemy", "alembic.autogenerate", "alembic.command", "alembic.config",
    "alembic.runtime.environment", "alembic.runtime.migration", "alembic.script",
    "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.declarative", "sqlalchemy.ext.hybrid", "sqlalchemy.orm",
)  # fmt: skip
_FLASK = ("flask", "flask.cli", "flask_migrate")

_BEFORE_THE_PROJECT = ("seccomp", "witness", "load")
"""Modules of ours that a plain start loads by then, beside those that `protocol` imports."""

_DRIVERS = frozenset(
    {
        "MySQLdb", "aiomysql", "aioodbc", "aiosqlite", "asyncmy", "asyncpg", "cx_Oracle", "mariadb",
        "mysql", "oracledb", "pg8000", "psycopg", "psycopg2", "psycopg2cffi", "psycopg_c",
        "pymssql", "pymysql", "pyodbc", "sqlcipher3",
    }
)  # fmt: skip
"""They are changed as they are imported, so no child may find one that was imported before."""

_KNOWN_START = ("distutils-precedence", "_virtualenv", "__editable__", "a1_coverage", "pytest-cov")
"""Code in .pth files, by how their names begin, that heeds no variable which a parent lacks."""


class UnfitError(BaseException):
    """What is forked would not be what a plain start is."""


class _InstalledOnly:
    """A finder that lets in the standard library, installed packages and us, and nothing else."""

    def __init__(self) -> None:
        """Nothing was let in."""
        self.files: list[str] = []

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What another finder found."""
        for finder in sys.meta_path:
            find: Any = None if finder is self else getattr(finder, "find_spec", None)
            found = find(name, path, target) if find else None
            if found is not None:
                self.files.extend(_installed(found))
                return found
        return None


def _installed(spec: Any) -> list[str]:
    folders = [_inside(str(folder)) for folder in spec.submodule_search_locations or ()]
    found = [str(spec.origin)] if spec.has_location else folders
    if not all(map(places.is_library, found)):
        raise UnfitError(spec.name)
    return found


def _inside(folder: str) -> str:
    return os.path.join(folder, "")  # noqa: PTH118 - pathlib would drop the separator


def prepare(flavour: str) -> list[str]:
    """Import what projects of this flavour need; the files that it came from.

    Raises:
        UnfitError: A module would come from elsewhere than an installed package.
        ImportError: A package is not there.
    """
    gate = _InstalledOnly()
    sys.meta_path.insert(0, gate)
    flask = flavour == "flask-migrate"
    for name in (*_ALEMBIC, *(_FLASK if flask else ())):
        import_module(name)
    answering = {
        place.partition(":")[0] for verb, place in verbs.TABLE.items() if verb not in verbs.SELDOM
    }
    for name in (*_BEFORE_THE_PROJECT, *(("flaskapp",) if flask else ()), *sorted(answering)):
        import_module(f".{name}", __package__)
    sys.meta_path.remove(gate)
    return gate.files


def stamps(imported: list[str]) -> dict[str, list[int]]:
    """By path: how what was imported, and the folders it is installed in, stand on disk.

    The standard library is left out: it changes with the interpreter, which is in.

    Args:
        imported: What `prepare` says; what was imported before that is known.
    """
    before = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = [*imported, *filter(None, before)]
    folders = [path for path in sys.path if places.is_library(_inside(path))]
    config = os.path.join(sys.prefix, "pyvenv.cfg")  # noqa: PTH118
    found = dict.fromkeys((sys.executable, config, *folders, *files))
    return {path: _stamp(path) for path in found if _changes(path) and os.path.exists(path)}  # noqa: PTH110


def _changes(path: str) -> bool:
    standard = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120
    return not path.startswith(standard) or "-packages" in path


def _stamp(path: str) -> list[int]:
    seen = os.stat(path)  # noqa: PTH116
    return [seen.st_mtime_ns, seen.st_size, seen.st_ino]


def check(stamped: dict[str, list[int]], began: int) -> None:
    """Hold what was imported against what a plain start would be.

    Args:
        stamped: What `stamps` says.
        began: When the imports began, in nanoseconds since the epoch.

    Raises:
        UnfitError: They might differ.
    """
    if any(changed >= began for changed, _, _ in stamped.values()):
        raise UnfitError("something was installed meanwhile")
    if not _DRIVERS.isdisjoint(sys.modules):
        raise UnfitError("a driver is imported")
    if threading.active_count() > 1 or _threads() > 1:
        raise UnfitError("there are threads")
    if list(_code_at_start()):
        raise UnfitError("code of its own runs as this interpreter starts")


def _threads() -> int:
    tasks = "/proc/self/task"
    return len(os.listdir(tasks)) if os.path.isdir(tasks) else 1  # noqa: PTH112, PTH208


def _code_at_start() -> Iterator[str]:
    """What ran before us and could have done something else in another environment."""
    for name in ("sitecustomize", "usercustomize"):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and os.path.dirname(file) != os.path.dirname(os.__file__):  # noqa: PTH120
            yield name
    for folder in filter(os.path.isdir, _site_folders()):
        for name in os.listdir(folder):  # noqa: PTH208
            known = name.startswith(_KNOWN_START) or name.endswith("-nspkg.pth")
            if name.endswith(".pth") and not known and _is_code(_inside(folder) + name):
                yield name


def _site_folders() -> list[str]:
    own = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [*site.getsitepackages(), *own]


def _is_code(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        return any(line.startswith((b"import ", b"import\t")) for line in file)
