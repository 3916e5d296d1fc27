"""Talking to PostgreSQL through psql: its parameters and secrets go by its environment."""

import contextlib
import json
import queue
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rulezero_server.shadows import programs
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.pginstalls import Install

_KEYWORDS = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE",
    "database": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
    "passfile": "PGPASSFILE", "service": "PGSERVICE", "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL", "sslcrldir": "PGSSLCRLDIR",
    "sslsni": "PGSSLSNI", "sslnegotiation": "PGSSLNEGOTIATION", "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME", "channel_binding": "PGCHANNELBINDING",
    "require_auth": "PGREQUIREAUTH", "requirepeer": "PGREQUIREPEER",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "connect_timeout": "PGCONNECT_TIMEOUT",
}  # fmt: skip
"""libpq's keywords, and the variables that mean the same.

Source: https://www.postgresql.org/docs/current/libpq-envars.html
"""

READ_ONLY = "-c default_transaction_read_only=on -c lock_timeout=5s"
"""What reads the target: it waits for no lock for long, and writes nothing."""

_ARGUMENTS = ("-X", "-q", "-A", "-t")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where to connect to, and with which programs; `variables` hold secrets."""

    install: Install
    variables: Mapping[str, str] = field(repr=False)
    until: float

    def at(self, **variables: str) -> "Server":
        """The same with other variables."""
        return Server(
            install=self.install, variables={**self.variables, **variables}, until=self.until
        )

    def run(self, program: str, *arguments: str, stdin: bytes = b"") -> programs.Ran:
        """Run one of its programs."""
        return programs.run(
            [self.install.program(program), *arguments],
            variables={**self.variables, "PGCLIENTENCODING": "UTF8"},
            until=self.until,
            stdin=stdin,
        )

    def sql(self, text: str) -> programs.Ran:
        """Run statements until one fails."""
        return self.run("psql", *_ARGUMENTS, "-v", "ON_ERROR_STOP=1", stdin=text.encode())

    def fed(self, script: bytes) -> None:
        """Run statements, each for itself: one that fails stops none."""
        self.run("psql", *_ARGUMENTS, stdin=script)

    def tried(self, text: str) -> bool:
        """Run statements: whether all went well."""
        return self.sql(text).status == 0

    def asked(self, select: str, what: str, mend: str) -> Any:
        """The JSON that a SELECT gives.

        Raises:
            NoShadow: It failed at `what`.
        """
        return json.loads(programs.checked(self.sql(f"{select};\n"), what, mend) or "null")


def variables(driver: Mapping[str, Any], ours: Mapping[str, str]) -> dict[str, str]:
    """The environment in which libpq connects as a driver was told to.

    Args:
        driver: What the driver was given, by libpq's keywords.
        ours: The environment that the project runs in.
    """
    known = {k: v for k, v in driver.items() if k in _KEYWORDS and v is not None}
    return {**ours, **{_KEYWORDS[name]: str(value) for name, value in known.items()}}


def identifier(name: str) -> str:
    """A name as SQL takes it whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL takes it whatever is in it; with `standard_conforming_strings` or not."""
    quoted = text.replace("'", "''")
    if "\\" not in quoted:
        return f"'{quoted}'"
    return "E'" + quoted.replace("\\", "\\\\") + "'"


class Session:
    """One session that is asked several things, so that they are seen in one snapshot."""

    def __init__(self, process: "subprocess.Popen[bytes]", until: float, errors: Any) -> None:
        """Talk to a psql that runs."""
        self._process = process
        self._until = until
        self._errors = errors
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout or ():
                self._lines.put(line)
        self._lines.put(b"")

    def ask(self, sql: str, what: str) -> bytes:
        """What a statement prints.

        Raises:
            NoShadow: It failed at `what`, or took too long.
        """
        mark = f"done-{secrets.token_hex(8)}"
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(f"{sql};\n\\echo {mark}\n".encode())
                self._process.stdin.flush()
        said: list[bytes] = []
        while (line := self._next()) != f"{mark}\n".encode():
            if not line:
                raise NoShadow(f"{what} ({self._error()})", "See to that, or allow no real rows.")
            said.append(line)
        return b"".join(said)

    def _next(self) -> bytes:
        try:
            return self._lines.get(timeout=max(self._until - time.monotonic(), 0.1))
        except queue.Empty as late:
            raise NoShadow("reading the target took too long", programs.LONGER) from late

    def _error(self) -> str:
        self._errors.seek(0)
        return programs.shape(self._errors.read().decode(errors="replace")) or "it ended"


@contextlib.contextmanager
def session(server: Server) -> Generator[Session]:
    """A session at this server until the end of the block."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [server.install.program("psql"), *_ARGUMENTS, "-v", "ON_ERROR_STOP=1"],
            env={**server.variables, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            try:
                yield Session(process, server.until, errors)
            finally:
                process.kill()
