"""A revision as it would be with another text: it is read like the file, and written nowhere."""

from __future__ import annotations

import linecache
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from alembic.script import Script

from . import errors, secrets


def drafted(script: Any, text: str) -> Any:
    """The script that alembic would make of the file if `text` stood in it.

    Args:
        script: An alembic `Script`, loaded from its file.
        text: Python, which runs as the file's own would.

    Returns:
        A script; its module has `broken` where the text does not load.
    """
    path = str(script.path)
    module: Any = ModuleType(script.module.__name__)
    module.__file__ = path
    try:
        exec(compile(text, path, "exec"), module.__dict__)  # noqa: S102 - as the file would run
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        module.broken, module.broken_line = secrets.scrub(errors.text(error)), None
    # Where it stands among the others is not up to a draft.
    module.revision, module.down_revision = script.revision, script.down_revision
    made: Any = Script(module, script.revision, path)
    return made


@contextmanager
def lines_of(path: str, text: str) -> Generator[None]:
    """While it lasts, the lines of a file are those of `text`, for whoever asks Python for them."""
    before = linecache.cache.get(path)
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    try:
        yield
    finally:
        linecache.cache.pop(path, None)
        if before is not None:
            linecache.cache[path] = before
