"""Private database servers: started for shadows, kept warm, ended with this process."""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rulezero_server.shadows import folders, sweeping
from rulezero_server.shadows.errors import NoShadow

KEEPER = Path(__file__).with_name("keeper.py")

_GRACE = 15.0
"""Seconds in which a server that is no longer wanted must be gone."""

_USERS = ("postgres", "mysql", "pgserver", "nobody")
"""Who runs a server that root may not run, the first of these who is known here."""

_SERVERS: dict[tuple[str, ...], "Private"] = {}
_STARTING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Private:
    """A server that runs: its folder, and what its administrator connects with."""

    folder: Path
    admin: Mapping[str, str] = field(repr=False)
    keeper: "subprocess.Popen[bytes]"
    held: contextlib.ExitStack

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.keeper.poll() is None

    def end(self) -> None:
        """Stop it, and remove its folder."""
        self.held.close()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a server is made: `prepare` fills its folder and says what the administrator needs.

    `command` starts it in the foreground; `ending` names the signal that stops it at once.
    """

    prepare: Callable[[Path, int | None], Mapping[str, str]]
    command: Callable[[Path], Sequence[str]]
    ending: str


def server(key: tuple[str, ...], recipe: Recipe, *, base: Path | None, until: float) -> Private:
    """The server of this kind, started if it does not run yet.

    Args:
        key: Names the kind; there is one server a kind and folder.
        recipe: How it is made.
        base: Where its folder is made; the system's place for temporary files by default.
        until: When it has to answer, by `time.monotonic()`.

    Raises:
        NoShadow: It does not start.
    """
    named = (*key, str(base))
    with _STARTING:
        known = _SERVERS.get(named)
        if known is not None and known.alive:
            return known
        if not _SERVERS:
            atexit.register(end_all)
        _SERVERS[named] = _started(recipe, base, until)
        return _SERVERS[named]


def end_all() -> None:
    """Stop every server that this process started."""
    with _STARTING:
        while _SERVERS:
            _SERVERS.popitem()[1].end()


def owner() -> tuple[int, int] | None:
    """Who has to run a server instead of this user: nobody, unless this is root."""
    if os.name != "posix" or os.getuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - not on every system

    for name in _USERS:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise NoShadow(
        "a database server cannot be started as root, and no other user was found for it",
        "Run rulezero as an ordinary user, or name a server under [rehearsal] in policy.toml.",
    )


def secret(folder: Path, text: str, user: int | None) -> Path:
    """A file that who runs the server can read, and nobody else."""
    file = folder / "s" / "secret"
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    file.write_text(text, encoding="utf-8")
    if user is not None:
        shutil.chown(file, user)
    return file


def _started(recipe: Recipe, base: Path | None, until: float) -> Private:
    user = owner()
    with contextlib.ExitStack() as held:
        folder = held.enter_context(folders.private(base, passable=user is not None))
        for name in ("s", "data"):
            _own(folder / name, user)
        admin = recipe.prepare(folder, user[0] if user else None)
        keeper = _kept(folder, recipe, user)
        held.callback(_close, keeper)
        _await(folder, keeper, until)
        return Private(folder=folder, admin=admin, keeper=keeper, held=held.pop_all())


def _own(folder: Path, user: tuple[int, int] | None) -> None:
    """A folder for who runs the server, closed to everybody else."""
    folder.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(folder, *user)


def _kept(folder: Path, recipe: Recipe, user: tuple[int, int] | None) -> "subprocess.Popen[bytes]":
    who = f"{user[0]}:{user[1]}" if user else ":"
    command = [sys.executable, "-I", "-S", str(KEEPER), str(folder), who, recipe.ending]
    return subprocess.Popen(
        [*command, *recipe.command(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PG", "MYSQL"))},
        start_new_session=os.name == "posix",
    )


def _close(keeper: "subprocess.Popen[bytes]") -> None:
    if keeper.stdin is not None:
        with contextlib.suppress(OSError):
            keeper.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(_GRACE)


def _await(folder: Path, keeper: "subprocess.Popen[bytes]", until: float) -> None:
    """Wait until it takes connections; it offers nothing to wait on but its socket."""
    while not sweeping.answers(folder):
        if keeper.poll() is not None or time.monotonic() > until:
            raise NoShadow(
                "a private database server did not start",
                "Name a server for rehearsals under [rehearsal] in policy.toml.",
            )
        time.sleep(0.02)
