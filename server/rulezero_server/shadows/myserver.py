"""The MariaDB and MySQL servers that shadows stand on, and the schemas and users made there."""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from rulezero_server.shadows import Order, mycatalogue, myclient, pgserver, private, programs
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.myclient import identifier, literal

_MAKE = (
    "Leave `where` out under [rehearsal] in policy.toml for a private server, or let that user "
    "create schemas and users."
)

_SETTINGS = (
    "--skip-networking", "--skip-log-bin", "--skip-name-resolve", "--local-infile=0",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0", "--innodb-buffer-pool-size=64M", "--innodb-fast-shutdown=2",
    "--plugin-load-add=metadata_lock_info", "--log-warnings=0", "--general-log=0",
)  # fmt: skip
"""A server that is thrown away needs no disk, and reaches nothing outside."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A server to make shadows on, as its administrator is let in."""

    admin: myclient.Server
    version: str
    where: str
    private: bool


def host(order: Order, target: myclient.Server, facts: mycatalogue.Facts, file: Path) -> Host:
    """The server that the policy chose for the shadow.

    Raises:
        NoShadow: There is none, or it does not answer.
    """
    place = order.wishes.place("mysql")
    if place == "private":
        return _private(order, facts, file)
    if place == "server":
        return _named(target.at(None), "the target's own server")
    url = order.wishes.mysql
    if not url:
        raise NoShadow(
            "no rehearsal server is named",
            'Write `mysql = "mysql://…"` under [rehearsal] in policy.toml.',
        )
    driver = driver_of(url)
    server = myclient.of_driver(driver, dialect=target.dialect, file=file, until=order.until)
    return _named(server.at(None), "the server for rehearsals")


def driver_of(url: str) -> dict[str, str]:
    """What a driver would be given for a URL."""
    parts = urlsplit(url)
    named = {
        "host": parts.hostname,
        "port": str(parts.port or ""),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        **dict(parse_qsl(parts.query)),
    }
    return {name: value for name, value in named.items() if value}


def _named(server: myclient.Server, called: str) -> Host:
    (shown,) = server.asked(
        "SELECT JSON_QUOTE(version())",
        f"{called} does not answer",
        "Correct the address under [rehearsal] in policy.toml.",
    )
    return Host(admin=server, version=shown, where=f"{_label(shown)}, {called}", private=False)


def _label(shown: str) -> str:
    kind = "MariaDB" if "mariadb" in shown.lower() else "MySQL"
    return f"{kind} {'.'.join(str(number) for number in myclient.version(shown))}"


def _private(order: Order, facts: mycatalogue.Facts, file: Path) -> Host:
    if not facts.is_mariadb:
        raise NoShadow(
            "no private server is started for MySQL",
            'Name one: `mysql = "mysql://…"` under [rehearsal] in policy.toml.',
        )
    install, server = programs.found("mariadb-install-db"), programs.found("mariadbd")
    if install is None or server is None or not hasattr(socket, "AF_UNIX"):
        raise NoShadow("there is no MariaDB server to start here", myclient.INSTALL)
    names = f"--lower-case-table-names={min(facts.names, 1)}"
    recipe = private.Recipe(
        prepare=lambda folder, user: _prepare(install, folder, user, order.until),
        command=lambda folder: [*_command(server, folder), names],
        ending="SIGKILL",
    )
    running = private.server(("mariadb", names), recipe, base=order.folder, until=order.until)
    admin = myclient.of_driver(running.admin, dialect="mariadb", file=file, until=order.until)
    shown = _settled(admin, facts)
    running.folder.joinpath("s", "secret").unlink(missing_ok=True)
    return Host(
        admin=admin, version=shown, where=f"{_label(shown)}, a private server", private=True
    )


def _prepare(install: Path, folder: Path, user: int | None, until: float) -> Mapping[str, str]:
    """Make its data folder; its administrator has a name that no target has, and a secret."""
    name, password = f"rulezero_{secrets.token_hex(4)}", secrets.token_hex(24)
    first = (
        f"CREATE USER {name}@localhost IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO {name}@localhost WITH GRANT OPTION;\n"
        "DROP USER IF EXISTS root@localhost, mysql@localhost, ''@localhost;\n"
        "FLUSH PRIVILEGES;\n"
    )
    private.secret(folder, first, user)
    command = [
        str(install), "--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db",
        "--auth-root-authentication-method=normal", "--skip-name-resolve", *_user(user),
    ]  # fmt: skip
    ran = programs.run(command, variables=programs.inherited("MYSQL"), until=until, user=user)
    programs.checked(ran, "a private MariaDB server could not be made", myclient.INSTALL)
    return {"unix_socket": str(folder / "s" / "mysql.sock"), "user": name, "password": password}


def _user(user: int | None) -> list[str]:
    if user is None or os.name != "posix":
        return []
    import pwd  # noqa: PLC0415 - not on every system

    return [f"--user={pwd.getpwuid(user).pw_name}"]


def _command(server: Path, folder: Path) -> list[str]:
    return [
        str(server),
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        f"--socket={folder / 's' / 'mysql.sock'}",
        f"--pid-file={folder / 'data' / 'server.pid'}",
        f"--init-file={folder / 's' / 'secret'}",
        f"--secure-file-priv={folder / 's'}",
        *_SETTINGS,
    ]


def _settled(admin: myclient.Server, facts: mycatalogue.Facts) -> str:
    """Wait until it lets its administrator in, and set what the target has set; its version."""
    carried = (f"SET GLOBAL {name} = {literal(value)};\n" for name, value in facts.settings)
    while (ran := admin.sql("SELECT version();\n")).status != 0:
        if time.monotonic() > admin.until:
            raise NoShadow(
                f"the private MariaDB server does not answer ({programs.shape(ran.err)})",
                myclient.INSTALL,
            )
        time.sleep(0.02)
    admin.sql("".join(carried), "--force")
    return ran.out.decode().strip()


@dataclass(frozen=True, kw_only=True)
class Database:
    """A new, empty schema: its user's way in."""

    name: str
    owner: myclient.Server
    lacks: tuple[str, ...]


@contextlib.contextmanager
def database(place: Host, facts: mycatalogue.Facts, file: Path) -> Generator[Database]:
    """A schema with a user who may do nothing outside it, for the time of the block.

    Raises:
        NoShadow: The server's user may not make them.
    """
    if not place.private:
        _sweep(place.admin)
    name = f"rulezero_shadow_{int(time.time()):08x}{secrets.token_hex(4)}"
    password = secrets.token_hex(24)
    try:
        lacks = _create(place, facts, name, password)
        owner = myclient.Server(
            dialect=place.admin.dialect,
            options={**place.admin.options, "user": name},
            password=password,
            file=file,
            until=place.admin.until,
            database=name,
        )
        yield Database(name=name, owner=owner, lacks=lacks)
    finally:
        drop(place.admin, name)


def _create(place: Host, facts: mycatalogue.Facts, name: str, password: str) -> tuple[str, ...]:
    create = f"CREATE DATABASE {name}"
    like = f"CHARACTER SET {facts.charset} COLLATE {facts.collation}"
    lacks = ()
    if not place.admin.tried(f"{create} {like};\n"):
        programs.checked(
            place.admin.sql(f"{create};\n"), "no schema could be made for the shadow", _MAKE
        )
        lacks = (f"the collation {facts.collation} of the database",)
    # In a grant an underscore stands for any letter.
    mine = identifier(name.replace("_", "\\_"))
    made = "".join(
        f"CREATE USER {name}@{host} IDENTIFIED BY '{password}';\n"
        f"GRANT ALL PRIVILEGES ON {mine}.* TO {name}@{host};\n"
        # What a statement rewrites can be seen with it alone; here there are shadows alone.
        + (f"GRANT PROCESS ON *.* TO {name}@{host};\n" if place.private else "")
        for host in (["localhost"] if place.private else ["localhost", "'%'"])
    )
    programs.checked(place.admin.sql(made), "no user could be made for the shadow", _MAKE)
    return lacks


def drop(admin: myclient.Server, name: str) -> None:
    """Remove a shadow's schema and user; also those of a shadow that was half made."""
    # Its time may be up; removing it is not what took too long.
    server = myclient.Server(
        dialect=admin.dialect,
        options=admin.options,
        password=admin.password,
        file=admin.file,
        until=time.monotonic() + 20,
    )
    with contextlib.suppress(NoShadow, OSError):
        # A session that still holds a lock would have the server wait.
        found = server.sql(
            "SELECT concat('KILL ', id, ';') FROM information_schema.processlist "  # noqa: S608
            f"WHERE user = {literal(name)};\n"
        )
        server.sql(
            found.out.decode()
            + f"DROP DATABASE IF EXISTS {identifier(name)};\n"
            + f"DROP USER IF EXISTS {name}@localhost, {name}@'%';\n",
            "--force",
        )


def _sweep(admin: myclient.Server) -> None:
    """Remove shadows that a killed process left on a server that is not ours alone."""
    found = admin.asked(
        "SELECT JSON_QUOTE(schema_name) FROM information_schema.schemata WHERE schema_name LIKE "
        "'rulezero\\_shadow\\_%' AND schema_name NOT IN (SELECT db FROM "
        "information_schema.processlist WHERE db IS NOT NULL)",
        "the shadow's server could not be read",
        _MAKE,
    )
    for name in pgserver.stale(found):
        drop(admin, name)
