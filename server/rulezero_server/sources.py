"""The project's own source, templates and SQL files, read once."""

import os
from collections.abc import Iterator
from pathlib import Path

from rulezero_policies.references import SourceFile, Sources

SUFFIXES = (".py", ".sql", ".html", ".htm", ".jinja", ".jinja2", ".j2", ".xml")

SCRIPTS = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte")
"""What reads keys as well, and no tables."""

MOST_FILES = 20_000
MOST_BYTES = 1_000_000
"""Of one file: what is larger was hardly written by hand."""

_NOT_OURS = frozenset(
    {
        *("node_modules", "bower_components", "site-packages", "dist-packages", "__pycache__"),
        *("venv", "env", "virtualenv", "dist", "build", "htmlcov", "vendor", "third_party"),
    }
)


def read(root: Path, leave_out: frozenset[Path], suffixes: tuple[str, ...] = SUFFIXES) -> Sources:
    """The files below `root`, in order.

    Args:
        root: The project.
        leave_out: Folders that are not looked into: what old revisions say is no use.
        suffixes: How the names of the files end.
    """
    files: list[SourceFile] = []
    left_out = 0
    for path in _paths(root, leave_out, suffixes):
        text = _text(path) if len(files) < MOST_FILES else None
        if text is None:
            left_out += 1
        else:
            files.append(SourceFile(path=path.relative_to(root).as_posix(), text=text))
    return Sources(files=tuple(files), left_out=left_out)


def _paths(root: Path, leave_out: frozenset[Path], suffixes: tuple[str, ...]) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(f for f in folders if is_ours(here / f, leave_out))
        yield from (here / name for name in sorted(names) if name.endswith(suffixes))


def is_ours(folder: Path, leave_out: frozenset[Path]) -> bool:
    """Whether a folder holds what the project's people wrote, and is not left out."""
    named = folder.name in _NOT_OURS or folder.name.startswith(".")
    # A package called `env` or `build` is code; a virtual environment has its mark.
    code = (folder / "__init__.py").is_file()
    if folder in leave_out or (folder / "pyvenv.cfg").is_file():
        return False
    return code or not named


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return None
