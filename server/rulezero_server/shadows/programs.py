"""Runs the databases' own programs. What they print is looked at here and shown nowhere."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rulezero_server.shadows.errors import NoShadow

LONGER = "Allow more `seconds` under [rehearsal] in policy.toml."


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a program ended, and what it printed: it may hold values of rows."""

    status: int
    out: bytes
    err: str


def run(
    command: Sequence[str],
    *,
    variables: Mapping[str, str],
    until: float,
    stdin: bytes = b"",
    source: Path | None = None,
    user: int | None = None,
) -> Ran:
    """Run a program to its end.

    Args:
        command: The program and its arguments, which everybody may read: no secret is among them.
        variables: Its whole environment, secrets too.
        until: When it has to have ended, by `time.monotonic()`.
        stdin: What it reads.
        source: A file that it reads instead.
        user: Who runs it, where that is not this process's user.

    Raises:
        NoShadow: It is not there, or did not end in time.
    """
    name = Path(command[0]).name
    try:
        process = _started(command, variables, source, user)
    except OSError as error:
        raise NoShadow(
            f"{name} cannot be started ({error.strerror})", f"Install {name} for this user."
        ) from error
    with process:
        try:
            fed = stdin if source is None else None
            out, err = process.communicate(fed, timeout=max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired as late:
            raise NoShadow(f"{name} did not end in time", LONGER) from late
        finally:
            process.kill()
    return Ran(status=process.returncode, out=out, err=err.decode(errors="replace"))


def _started(
    command: Sequence[str], variables: Mapping[str, str], source: Path | None, user: int | None
) -> "subprocess.Popen[bytes]":
    with contextlib.ExitStack() as stack:
        reads = subprocess.PIPE if source is None else stack.enter_context(source.open("rb"))
        return subprocess.Popen(
            list(command),
            env={**variables, "LC_ALL": "C", "LANGUAGE": "C"},
            stdin=reads,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            user=user,
            cwd=Path(command[0]).anchor or None,
        )


def found(name: str, *, beside: Sequence[str] = ("/usr/sbin", "/usr/local/sbin")) -> Path | None:
    """Where a program is, on the path or where servers are put."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *beside])
    where = shutil.which(name, path=path)
    return Path(where) if where else None


_SHAPES: tuple[tuple[str, str], ...] = (
    (r"permission denied for (table|relation|sequence|schema|view|function|database) (.+)$",
     "its user may not read the {0} {1}"),
    (r"must be superuser", "its user may not do that"),
    (r"permission denied to create (database|role)", "its user may not create a {0}"),
    (r"(?:SELECT|LOCK TABLES?|SHOW VIEW|TRIGGER|EVENT) command denied .*?for table `?(\S+?)`?$",
     "its user may not read the table {0}"),
    (r"Access denied;? you need .*?the (\S+) privilege", "its user lacks the privilege {0}"),
    (r"row-level security policy for table (.+)$", "row-level security hides rows of {0}"),
    (r"password authentication failed|Access denied for user|no password supplied",
     "the login was refused"),
    (r"no pg_hba\.conf entry", "the server takes no such connection (pg_hba.conf)"),
    (r"lock timeout|Lock wait timeout", "somebody holds a lock on a table for longer than 5 s"),
    (r"statement timeout", "the server's statement time-out was too short"),
    (r"server version mismatch", "the program is older than the server"),
    (r"(?:could not|[Cc]an't) connect|Connection refused|[Cc]onnection to server .* failed",
     "the server does not answer"),
    (r"No space left", "the disk is full"),
    (r"Unknown database|database \S+ does not exist", "the database is not there"),
)  # fmt: skip


def shape(err: str) -> str | None:
    """What went wrong, if it is something known; a program's own words may hold a row's values."""
    for pattern, words in _SHAPES:
        match = re.search(pattern, err, re.MULTILINE)
        if match:
            return words.format(*(_name(group) for group in match.groups()))
    return None


def _name(text: str | None) -> str:
    return (text or "?").strip("\"'`,;:")[:120]


def checked(ran: Ran, what: str, mend: str) -> bytes:
    """What a program printed that went well.

    Raises:
        NoShadow: It failed at `what`; `mend` says what to do about it.
    """
    if ran.status != 0:
        raise NoShadow(f"{what} ({shape(ran.err) or f'exit status {ran.status}'})", mend)
    return ran.out


def inherited(*prefixes: str) -> dict[str, str]:
    """This process's environment without the variables that begin so."""
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
