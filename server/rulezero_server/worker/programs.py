"""Programs that something wants to start: how they are named, and which ones may start."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from typing import Any, cast

from . import secrets

LONGEST = 120
"""Characters of a command line that are shown."""

STARTS = frozenset(
    {
        "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
        "os.forkpty", "os.startfile", "os.startfile/2", "pty.spawn", "_winapi.CreateProcess",
    }
)  # fmt: skip
"""The audit events of everything in the standard library that starts a process."""

_WORDS = frozenset(
    {
        "HEAD", "alembic", "base", "clean", "create", "current", "db", "describe", "django",
        "downgrade", "drop", "flask", "git", "head", "heads", "history", "init", "install",
        "migrate", "pip", "python", "python3", "push", "restore", "rev-parse", "revision", "run",
        "show", "stamp", "status", "upgrade",
    }
)  # fmt: skip
"""Arguments that are shown: any other word might be a secret."""

_OPTION = re.compile(r"-[a-zA-Z]|--[a-z][a-z-]*")


def command(event: str, args: Sequence[Any]) -> list[str]:
    """The command line of an audit event, the program first; empty where it names none."""
    if event == "subprocess.Popen":
        return _popen(args[0], args[1])
    if event in {"os.system", "os.startfile", "os.startfile/2"}:
        return _split(_text(args[0]))
    if event in {"os.exec", "os.posix_spawn"}:
        return [_text(args[0]), *_texts(args[1])[1:]]
    if event == "os.spawn":
        return [_text(args[1]), *_texts(args[2])[1:]]
    if event == "_winapi.CreateProcess":
        return _split(_text(args[1] or args[0]))
    return _texts(args[0]) if event == "pty.spawn" else []


def _popen(executable: Any, given: Any) -> list[str]:
    words = _split(_text(given)) if isinstance(given, (str, bytes, os.PathLike)) else _texts(given)
    # With shell=True the shell stands first; executable= is what really runs.
    return [_text(executable), *words[1:]] if executable else words


def _text(value: Any) -> str:
    try:
        return os.fsdecode(value)
    except TypeError:
        return "?"


def _texts(values: Any) -> list[str]:
    return [_text(value) for value in cast("Sequence[Any]", values)]


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, posix=os.name != "nt") or ["?"]
    except ValueError:
        return [line.split(maxsplit=1)[0] if line.split() else "?"]


def shown(words: Sequence[str]) -> str:
    """A command line for people: what might be a secret in it is left out."""
    if len(words) > 2 and words[1] in {"-c", "/c"} and base(words[0]) in _SHELLS:
        words = _split(words[2])
    plain = (w if w in _WORDS or _OPTION.fullmatch(w) else "…" for w in words[1:])
    text = secrets.scrub(" ".join([base(words[0]), *plain]))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "cmd", "cmd.exe"})


def base(program: str) -> str:
    """A program's name without its folder."""
    return os.path.basename(program) or program  # noqa: PTH119 - it need not be a path


def allowing(names: Sequence[str]) -> Callable[[str, Sequence[str]], bool]:
    """What says whether a process may start, given an audit event and its command line.

    Args:
        names: Programs as the command line knows them, or their paths. What they stand for is
            looked up once, here: another file of that name later is another program.
    """
    if not names:
        return lambda _event, _words: False
    known = frozenset(filter(None, map(_found, names)))

    def may_start(event: str, words: Sequence[str]) -> bool:
        if event not in {"subprocess.Popen", "os.posix_spawn", "os.spawn", "_winapi.CreateProcess"}:
            return False
        return bool(words) and _found(words[0]) in known

    return may_start


def _found(program: str) -> str | None:
    path = shutil.which(program)
    return os.path.realpath(path) if path else None
