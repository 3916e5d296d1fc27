"""Talking to PostgreSQL through psql: its parameters and secrets go by its environment."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from rulezero_server.shadows import programs, talking
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


_TOGETHER = 100
"""Tables whose rows one client loads."""


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

    def load(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """Load rows, each table's with its `COPY … FROM STDIN`; one that fails stops none.

        Rows never stand among statements: where their table is missing, the client would take them
        for commands, and some of those start programs.
        """
        for start in range(0, len(rows), _TOGETHER):
            batch = rows[start : start + _TOGETHER]
            if not self._loaded(batch) and len(batch) > 1:
                for one in batch:
                    self._loaded([one])

    def _loaded(self, rows: Sequence[tuple[str, bytes]]) -> bool:
        commands = [word for copy, _ in rows for word in ("-c", copy)]
        arguments = (*_ARGUMENTS, "-1", "-v", "ON_ERROR_STOP=1", *commands)
        ran = self.run("psql", *arguments, stdin=b"".join(data + b"\\.\n" for _, data in rows))
        return ran.status == 0

    def fed(self, script: bytes) -> None:
        """Run our own statements, never anybody's rows; one that fails stops none."""
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


def session(server: Server) -> AbstractContextManager[talking.Session]:
    """A session at this server until the end of the block."""
    return talking.session(
        [server.install.program("psql"), *_ARGUMENTS, "-v", "ON_ERROR_STOP=1"],
        variables={**server.variables, "PGCLIENTENCODING": "UTF8"},
        until=server.until,
        mark="\\echo {}",
    )
