"""A command of a Python project, carried out in this process, where it is kept on the shadow."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import shlex
import subprocess
import sys
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """How a command ended: its exit status, and what it printed."""

    status: int
    said: str


def run(line: str, seconds: float) -> Ended:
    """Carry out a command line; no shell reads it.

    A program that is no Python is started as a process, which the guard refuses unless the person's
    own policy names it: what it reaches cannot be led to the shadow.

    Raises:
        PermissionError: It is such a program.
        Exception: Whatever the command raises.
    """
    words = shlex.split(line)
    if not words:
        raise ValueError("the command is empty")
    name = os.path.basename(words[0])  # noqa: PTH119 - it need not be a path
    if name.startswith("python"):
        return _printed(words[1:], _python)
    found = _entry_point(name)
    if found is not None:
        return _printed(words, partial(_called, found))
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=seconds, check=False, errors="replace"
    )
    return Ended(done.returncode, done.stdout)


def is_python(line: str) -> bool:
    """Whether a command line is carried out in this process."""
    name = os.path.basename(shlex.split(line)[0])  # noqa: PTH119 - as below
    return name.startswith("python") or _entry_point(name) is not None


def _entry_point(name: str) -> Any:
    every: Any = metadata.entry_points()
    some = (
        every.select(group="console_scripts")
        if hasattr(every, "select")
        else every.get("console_scripts", ())
    )
    return next((point for point in some if point.name == name), None)


def _printed(words: list[str], act: Any) -> Ended:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            act(words)
        except SystemExit as ended:
            return Ended(_status(ended.code), out.getvalue())
    return Ended(0, out.getvalue())


def _status(code: object) -> int:
    return code if isinstance(code, int) else int(code is not None)


def _called(point: Any, words: list[str]) -> None:
    sys.argv[:] = words
    code = point.load()()
    if code:
        raise SystemExit(code)


def _python(words: list[str]) -> None:
    """What the interpreter does with `-m module`, `-c code` and a script."""
    if words[:1] == ["-m"] and len(words) > 1:
        sys.argv[:] = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[:1] == ["-c"] and len(words) > 1:
        sys.argv[:] = ["-c", *words[2:]]
        exec(compile(words[1], "<command>", "exec"), {"__name__": "__main__"})  # noqa: S102 - it is the command
    elif words and not words[0].startswith("-"):
        sys.argv[:] = words
        runpy.run_path(words[0], run_name="__main__")
    else:
        raise ValueError("this way to start Python is not known")
