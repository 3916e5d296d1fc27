"""While a project is read, its code starts no program and reaches nothing but its own database.

An audit hook refuses what the standard library does: starting processes, and connecting sockets.
`_posixsubprocess.fork_exec` raises no audit event, so a stand-in takes its place. What C code does
is not seen by an audit hook: `seccomp` keeps it from starting programs where the platform can, and
`drivers` stands in front of the database drivers that connect by themselves. `sqlitefiles` refuses
what would change an SQLite database as a file.

A socket may be connected by a driver that `drivers` watches, and by nobody else: so it is not the
address that is trusted, but who holds the other end. Which database is the target cannot be known
before env.py connects, and an app may use its own database while it loads. So until env.py ran
once, watched drivers may connect to any database, read-only, and each is noted; then the databases
that env.py migrates are the target, those that were noted and are not it are reported, and other
ones are refused from then on.

Everything refused raises a `PermissionError`, for which tolerant code is prepared. Nothing here
holds against hostile code for certain: it holds against what a project does by itself.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from . import errors, places, programs, sqlitefiles

Report = Callable[[str, str, places.Origin], None]
"""Takes the kind ("program" or "connection"), what was tried, and who did."""

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})

_FROM_C = frozenset(
    {
        "clone", "connect", "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe",
        "fexecve", "fork", "forkpty", "popen", "posix_spawn", "posix_spawnp", "sendmsg", "sendto",
        "system", "vfork", "CreateProcessA", "CreateProcessW", "ShellExecuteA", "ShellExecuteW",
        "ShellExecuteExW", "WinExec",
    }
)  # fmt: skip
"""Functions that ctypes has no reason to look up in a project that is read."""

_PROBES = {
    "platform.py": frozenset({"uname", "file", "cmd", "cmd.exe", "ver"}),
    "uuid.py": frozenset(
        {"ip", "ifconfig", "arp", "lanscan", "netstat", "ipconfig", "ipconfig.exe"}
    ),
    "ctypes/util.py": frozenset({"ldconfig", "gcc", "cc", "ld", "objdump", "dump", "crle", "sh"}),
}
"""Programs by which the standard library finds out about the machine; it goes on without them."""

_LOG_SOCKETS = frozenset(
    {"/dev/log", "/var/run/syslog", "/run/systemd/journal/socket", "/run/systemd/journal/stdout"}
)


class Guard:
    """What the drivers and the verbs need of the guard that is in force."""

    def __init__(self, allow: Mapping[str, Any], report: Report, root: str) -> None:
        """Hold to `allow` (programs, hosts, write_hooks), and tell `report` what was refused."""
        self.kind = "audit hook"
        self.may_start = bool(allow.get("programs") or allow.get("write_hooks"))
        self.write_hooks = bool(allow.get("write_hooks"))
        self.opening: ContextVar[bool] = ContextVar("opening", default=False)
        self.hooks_run: ContextVar[bool] = ContextVar("hooks_run", default=False)
        self.hosts: tuple[str, ...] = tuple(allow.get("hosts") or ())
        self.report = report
        self.databases: Any = None
        self.shadow: Any = None
        self.root = root

    @contextmanager
    def connecting(self) -> Generator[None]:
        """While it lasts a watched driver opens its connection, which may use sockets."""
        token = self.opening.set(True)
        try:
            yield
        finally:
            self.opening.reset(token)

    @contextmanager
    def hooks(self) -> Generator[None]:
        """While it lasts post-write hooks may start programs, if the user's policy lets them."""
        token = self.hooks_run.set(self.write_hooks)
        try:
            yield
        finally:
            self.hooks_run.reset(token)


def install(allow: Mapping[str, Any], report: Report, root: str) -> Guard:
    """Stand at the doors from now on; there is no way to leave again.

    Args:
        allow: The request's `allow`, which only the user's own policy can fill.
        report: Is told what was refused.
        root: The project's folder.
    """
    guard = Guard(allow, report, root)
    refuse_start = _starts(guard, allow.get("programs") or ())
    refuse_connect = _connects(guard)
    _stand_in_for_fork_exec(refuse_start, may_ever=guard.may_start)
    refuse_write = sqlitefiles.refusing(report, root)
    sys.addaudithook(_hook(refuse_start, refuse_connect, refuse_write))
    return guard


def _hook(
    refuse_start: Callable[[str, Sequence[Any]], None],
    refuse_connect: Callable[[Sequence[Any]], None],
    refuse_write: Callable[[str, Sequence[Any]], None],
) -> Callable[[str, tuple[Any, ...]], None]:
    # What decides is bound here: no name that other code could set anew is looked up later.
    starts, connects, lookups = programs.STARTS, _CONNECTS, _FROM_C
    writes = sqlitefiles.EVENTS

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if event in starts:
            refuse_start(event, args)
        elif event in connects:
            refuse_connect(args)
        elif event in writes:
            refuse_write(event, args)
        elif event == "ctypes.dlsym" and args[1] in lookups:
            refuse_start(f"ctypes: {args[1]}", ())
        elif event == "import" and args[0] == "_posixsubprocess":
            raise errors.RefusedError("rulezero keeps this module as it is")

    return heard


def _starts(guard: Guard, names: Sequence[str]) -> Callable[[str, Sequence[Any]], None]:
    may_start, command = programs.allowing(names), programs.command
    hooks_may, hooks_run = guard.write_hooks, guard.hooks_run

    def refuse(event: str, args: Sequence[Any]) -> None:
        words = command(event, args)
        if (hooks_may and hooks_run.get()) or may_start(event, words):
            return
        origin = places.of_origin(guard.root)
        call = programs.shown(words) if words else event
        probed = words and any(
            programs.base(words[0]) in _PROBES.get(p, ()) for p in origin.through
        )
        if not probed:
            guard.report("program", call, origin)
        name = programs.base(words[0]) if words else ""
        raise errors.RefusedError(
            f"rulezero starts no program ({call}) while the project is only read"
            + (
                f'; programs = ["{name}"] under [reading] in your policy.toml allows it'
                * bool(name)
            )
        )

    return refuse


def _connects(guard: Guard) -> Callable[[Sequence[Any]], None]:
    opening, may_reach = guard.opening, reaching(guard.hosts)

    def refuse(args: Sequence[Any]) -> None:
        sock, address = args[0], args[1]
        if opening.get() or address is None or _is_harmless(sock, address) or may_reach(address):
            return
        origin, call = places.of_origin(guard.root), shown(address)
        if "logging/handlers.py" not in origin.through:
            guard.report("connection", call, origin)
        raise unreachable(call)

    return refuse


def unreachable(call: str) -> errors.RefusedError:
    """What a connection that is not to the target raises."""
    return errors.RefusedError(
        f"rulezero opens no connection to {call} while the project is only read; "
        f'hosts = ["{call}"] under [reading] in your policy.toml allows it'
    )


def _is_harmless(sock: Any, address: Any) -> bool:
    """The kernel, the system's log, and the two ends that Windows makes a pair of sockets of."""
    if sock.family == getattr(socket, "AF_NETLINK", None) or address in _LOG_SOCKETS:
        return True
    return os.name == "nt" and _in_socketpair()


def _in_socketpair() -> bool:
    frame: Any = places.caller(0)
    codes = [
        getattr(getattr(socket, name, None), "__code__", None)
        for name in ("socketpair", "_fallback_socketpair")
    ]
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


def shown(address: Any) -> str:
    """A socket's address for people: `host:port`, or the path of a unix socket."""
    if isinstance(address, (str, bytes)):
        return os.fsdecode(address)
    parts: Any = address
    return f"{parts[0]}:{parts[1]}" if len(parts) > 1 else str(address)


def reaching(hosts: Sequence[str]) -> Callable[[Any], bool]:
    """What says whether an address is one of `hosts` (`name:port`, `name`, or a socket's path)."""

    def may_reach(address: Any) -> bool:
        if not hosts:
            return False
        said = shown(address)
        return said in hosts or (not isinstance(address, str) and said in set(resolved(address)))

    def resolved(address: Any) -> Iterator[str]:
        for entry in hosts:
            name, colon, port = entry.rpartition(":")
            if not colon or port == str(address[1]):
                yield from (f"{ip}:{address[1]}" for ip in addresses(name or entry))

    return may_reach


def addresses(host: str) -> frozenset[str]:
    """What a host's name stands for, its own name included."""
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return frozenset({host})
    return frozenset({host, *(str(entry[4][0]) for entry in found)})


def _stand_in_for_fork_exec(
    refuse: Callable[[str, Sequence[Any]], None], *, may_ever: bool
) -> None:
    """Every interpreter on a POSIX system starts its subprocesses by this one function."""
    try:
        import _posixsubprocess as module  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    original = module.fork_exec if may_ever else None

    def fork_exec(args: Any, executables: Any, *rest: Any) -> Any:
        found = [p for p in executables if os.path.exists(p)]  # noqa: PTH110
        words = [found[0] if found else executables[0], *list(args)[1:]]
        refuse("subprocess.Popen", (None, words))
        if original is None:
            raise errors.RefusedError("rulezero starts no program")
        return original(args, executables, *rest)

    for holder, name in (
        (module, "fork_exec"),
        (sys.modules.get("subprocess"), "_fork_exec"),
    ):
        if holder is not None:
            setattr(holder, name, fork_exec)
