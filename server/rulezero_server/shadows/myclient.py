"""Talking to MariaDB and MySQL through their own client and dump programs."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rulezero_server.shadows import programs, talking
from rulezero_server.shadows.errors import NoShadow

INSTALL = (
    "Install MariaDB (server and client) of the target's version, or name a server: "
    '`mysql = "mysql://…"` under [rehearsal] in policy.toml.'
)

_CLIENTS = {"mariadb": ("mariadb", "mysql"), "mysql": ("mysql", "mariadb")}
_DUMPS = {"mariadb": ("mariadb-dump", "mysqldump"), "mysql": ("mysqldump", "mariadb-dump")}

_ASKING = ("--batch", "--raw", "--skip-column-names", "--unbuffered", "--binary-mode")
"""In binary mode the client takes nothing that it is fed for a command of its own but DELIMITER.

Source: https://dev.mysql.com/doc/refman/8.0/en/mysql-command-options.html#option_mysql_binary-mode
"""

_PASSED_ON = ("host", "port", "socket", "user", "ssl-ca", "ssl-cert", "ssl-key")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where to connect to, by the options of the client; the password goes by its environment."""

    dialect: str
    options: Mapping[str, str]
    password: str = field(repr=False)
    file: Path
    until: float
    database: str | None = None

    def at(self, database: str | None) -> "Server":
        """The same, in another database."""
        return Server(
            dialect=self.dialect,
            options=self.options,
            password=self.password,
            file=self.file,
            until=self.until,
            database=database,
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its programs."""
        return {**programs.inherited("MYSQL", "MARIADB"), "MYSQL_PWD": self.password}

    def command(self, names: tuple[str, ...], *arguments: str) -> list[str]:
        """A program that reads nothing but its own file of options.

        Raises:
            NoShadow: It is not installed.
        """
        where = next((path for name in names if (path := programs.found(name))), None)
        if where is None:
            raise NoShadow(f"{names[0]} was not found here", INSTALL)
        lines = "".join(f"{name} = {_quoted(value)}\n" for name, value in self.options.items())
        self.file.write_text(f"[client]\n{lines}", encoding="utf-8")
        self.file.chmod(0o600)
        return [str(where), f"--defaults-file={self.file}", *arguments]

    def client(self, *arguments: str) -> list[str]:
        """The client's command, in its database.

        Raises:
            NoShadow: It is not installed.
        """
        return self.command(_CLIENTS[self.dialect], *self._charset, *arguments)

    def sql(self, text: str | bytes, *arguments: str) -> programs.Ran:
        """Run statements, until one fails unless told otherwise."""
        return programs.run(
            self.command(_CLIENTS[self.dialect], *_ASKING, *self._charset, *arguments),
            variables=self.variables,
            until=self.until,
            stdin=text.encode() if isinstance(text, str) else text,
        )

    def tried(self, text: str) -> bool:
        """Run statements: whether all went well."""
        return self.sql(text).status == 0

    def asked(self, select: str, what: str, mend: str) -> list[Any]:
        """The values that a SELECT of one column of JSON gives, a row each.

        Raises:
            NoShadow: It failed at `what`.
        """
        out = programs.checked(self.sql(f"{select};\n"), what, mend).decode()
        return [json.loads(line) for line in out.splitlines() if line]

    def load(self, file: Path, *arguments: str) -> programs.Ran:
        """Run the statements of a file."""
        return programs.run(
            self.command(_CLIENTS[self.dialect], *_ASKING, *self._charset, *arguments),
            variables=self.variables,
            until=self.until,
            source=file,
        )

    def dump(self, *arguments: str, tables: Sequence[str] = ()) -> programs.Ran:
        """Dump its database, or these tables of it."""
        return programs.run(
            self.command(
                _DUMPS[self.dialect],
                "--default-character-set=utf8mb4",
                *arguments,
                self.database or "",
                *tables,
            ),
            variables=self.variables,
            until=self.until,
        )

    def session(self) -> AbstractContextManager[talking.Session]:
        """A session that is asked several things."""
        command = self.command(_CLIENTS[self.dialect], *_ASKING, *self._charset)
        return talking.session(
            command, variables=self.variables, until=self.until, mark="SELECT '{}';"
        )

    @property
    def _charset(self) -> tuple[str, ...]:
        where = () if self.database is None else (f"--database={self.database}",)
        return ("--default-character-set=utf8mb4", *where)


def of_driver(driver: Mapping[str, Any], *, dialect: str, file: Path, until: float) -> Server:
    """The server that a driver was told to connect to.

    Args:
        driver: What the driver was given; `unix_socket` wins over `host`.
        dialect: "mysql" or "mariadb".
        file: Where the client's options are written; nobody else can read there.
        until: When everything has to be done, by `time.monotonic()`.
    """
    known = {key.replace("_", "-"): value for key, value in driver.items()}
    known["socket"] = known.pop("unix-socket", None)
    options = {name: str(known[name]) for name in _PASSED_ON if known.get(name)}
    if "socket" in options:
        options.pop("host", None)
        options.pop("port", None)
    elif options.get("host") not in {None, "localhost"} or "port" in options:
        # A driver goes by TCP where the client would take a socket.
        options["protocol"] = "tcp"
    return Server(
        dialect=dialect,
        options=options,
        password=str(driver.get("password") or ""),
        file=file,
        until=until,
        database=str(driver["database"]) if driver.get("database") else None,
    )


def _quoted(value: str) -> str:
    """A value in a file of options."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'


def identifier(name: str) -> str:
    """A name as SQL takes it whatever is in it."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A string as SQL takes it whatever is in it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def version(shown: str) -> tuple[int, ...]:
    """The numbers of a version as the server says it."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", shown.removeprefix("5.5.5-"))
    return tuple(int(number) for number in match.groups()) if match else (0, 0, 0)
