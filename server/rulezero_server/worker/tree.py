"""What the syntax tree of a revision tells, without running it."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import comments

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)

_VENVS = frozenset({"site-packages", "dist-packages", "node_modules", ".venv", "venv", "env"})

PHASE = "safer_phase"
"""The name under which a revision of a sequence says what has to hold before it."""

UNREAD: dict[str, Any] = {
    "has_upgrade": True,
    "has_downgrade": True,
    "downgrade_is_empty": False,
    "downgrade_line": None,
}
"""What is assumed of a file that cannot be read, so that nothing is said that is not known."""


def tree(
    path: str, root: str, database: str | None = None, *, source: bytes | None = None
) -> dict[str, Any]:
    """Read a revision file.

    Args:
        path: The revision file.
        root: The project's root folder: what is imported from it is the project's own code.
        database: As env.py names it to the revision, which then has functions for it alone.
        source: What to read in place of what stands in the file.

    Returns:
        A dict shaped as `ports.Tree`.

    Raises:
        SyntaxError: The file is not Python.
    """
    source = Path(path).read_bytes() if source is None else source
    module = ast.parse(source, filename=path)
    functions = dict(_defined(module))
    downgrade = functions.get("downgrade")
    if downgrade is not None and database is not None:
        downgrade = functions.get(f"downgrade_{database}", downgrade)
    return {
        "has_upgrade": "upgrade" in functions,
        "has_downgrade": downgrade is not None,
        "downgrade_is_empty": isinstance(downgrade, _Function) and _is_empty(downgrade),
        "downgrade_line": None if downgrade is None else downgrade.lineno,
        "app_imports": sorted(_app_imports(module, Path(path), Path(root)), key=lambda i: i[1]),
        "ignores": comments.ignores(source, module),
        "phase": _phase(functions.get(PHASE)),
    }


def _phase(node: Any) -> str | None:
    """What a revision of a sequence says of itself; empty where it cannot be read."""
    if node is None:
        return None
    try:
        return json.dumps(ast.literal_eval(node.value))
    except (AttributeError, TypeError, ValueError):
        return ""


def _defined(module: ast.Module) -> Iterator[tuple[str, Any]]:
    """Names that the module's own level gives a meaning: functions, imports and assignments."""
    for node in module.body:
        if isinstance(node, _Function):
            yield node.name, node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((a.asname or a.name, node) for a in node.names)
        elif isinstance(node, ast.Assign):
            yield from ((t.id, node) for t in node.targets if isinstance(t, ast.Name))


def _is_empty(function: Any) -> bool:
    return all(_does_nothing(statement) for statement in function.body)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    is_return = isinstance(statement, ast.Return)
    return is_return and isinstance(statement.value, (ast.Constant, type(None)))


def _app_imports(module: ast.Module, path: Path, root: Path) -> Iterator[tuple[str, int]]:
    migrations = _migrations_of(path)
    for name, line in _imports(module):
        if name.partition(".")[0] in getattr(sys, "stdlib_module_names", ()):
            continue
        if _is_app(name, root.resolve(), migrations):
            yield name, line


def _migrations_of(path: Path) -> Path:
    """The migrations folder: the nearest one above the file that holds env.py."""
    folder = path.resolve().parent
    return next((p for p in (folder, *folder.parents) if (p / "env.py").is_file()), folder)


def _imports(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module, node.lineno


def _is_app(name: str, root: Path, migrations: Path) -> bool:
    top = name.partition(".")[0]
    for base in _bases(root):
        found = [p for p in (base / top, base / f"{top}.py") if p.is_dir() or p.is_file()]
        if found:
            file = _module_file(base, name)
            return migrations not in (file, *file.parents)
    return False


def _bases(root: Path) -> Iterator[Path]:
    """The folders of the project that imports may start from: its root, src, and `sys.path`."""
    seen: set[Path] = set()
    for entry in (root, root / "src", *map(Path, filter(None, sys.path))):
        base = entry.resolve()
        inside = base == root or root in base.parents
        if inside and base not in seen and not _VENVS & set(base.relative_to(root).parts):
            seen.add(base)
            yield base


def _module_file(base: Path, name: str) -> Path:
    """The file or folder of a module, or of the nearest package above it that is there."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        stem = base.joinpath(*parts[:length])
        for file in (stem.with_name(stem.name + ".py"), stem):
            if file.exists():
                return file
    return base
