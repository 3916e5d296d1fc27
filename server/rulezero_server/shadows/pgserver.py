"""The PostgreSQL servers that shadows stand on, and the databases and roles made there."""

import contextlib
import re
import secrets
import socket
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from rulezero_server.shadows import Order, pgcatalogue, pginstalls, private, programs, psql
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.psql import identifier, literal

_SETTINGS = (
    "listen_addresses=", "max_connections=40", "max_locks_per_transaction=1024",
    "shared_buffers=64MB", "fsync=off", "full_page_writes=off", "synchronous_commit=off",
    "autovacuum=off", "log_min_messages=panic", "log_min_error_statement=panic",
    "max_wal_size=4GB",
)  # fmt: skip
"""A server that is thrown away needs no disk; what it logs could hold values of rows."""

_OLD = 3600
"""Seconds after which a shadow that nobody is connected to is nobody's."""

SHADOW = re.compile(r"^rulezero_shadow_([0-9a-f]{8})[0-9a-f]{8}$")

_MAKE = (
    "Leave `where` out under [rehearsal] in policy.toml for a private server, or give that user "
    "CREATEDB and CREATEROLE."
)


@dataclass(frozen=True, kw_only=True)
class Host:
    """A server to make shadows on: `admin` connects to its usual database."""

    admin: psql.Server
    number: int
    where: str
    private: bool

    @property
    def major(self) -> int:
        """The version that counts for features."""
        return self.number // 10_000


def host(order: Order, target: psql.Server, facts: pgcatalogue.Facts) -> Host:
    """The server that the policy chose for the shadow.

    Raises:
        NoShadow: There is none, or it does not answer.
    """
    place = order.wishes.place("postgresql")
    if place == "private":
        return _private(order, facts.major)
    if place == "server":
        # What makes the shadow writes, though not to the target's own database.
        options = re.sub(re.escape(psql.READ_ONLY), "", target.variables.get("PGOPTIONS", ""))
        return _named(target.at(PGOPTIONS=options), "the target's own server")
    url = order.wishes.postgresql
    if not url:
        raise NoShadow(
            "no rehearsal server is named",
            'Write `postgresql = "postgresql://…"` under [rehearsal] in policy.toml.',
        )
    given = variables_of(url)
    server = psql.Server(install=pginstalls.client(facts.major), variables=given, until=order.until)
    return _named(server, "the server for rehearsals")


def variables_of(url: str) -> dict[str, str]:
    """The environment in which libpq connects to a URL."""
    parts = urlsplit(url)
    named = {
        "host": parts.hostname and unquote(parts.hostname),
        "port": parts.port,
        "user": parts.username and unquote(parts.username),
        "password": parts.password and unquote(parts.password),
        "dbname": unquote(parts.path.lstrip("/")) or "postgres",
        **dict(parse_qsl(parts.query)),
    }
    given = {name: value for name, value in named.items() if value}
    return psql.variables(given, programs.inherited("PG"))


def _named(server: psql.Server, called: str) -> Host:
    version = server.asked(
        "SELECT json_build_array(current_setting('server_version_num')::int, "
        "current_setting('server_version'))",
        f"{called} does not answer",
        "Correct the address under [rehearsal] in policy.toml.",
    )
    return Host(
        admin=server,
        number=version[0],
        where=f"PostgreSQL {version[1].split()[0]}, {called}",
        private=False,
    )


def _private(order: Order, major: int) -> Host:
    if not hasattr(socket, "AF_UNIX"):
        raise NoShadow(
            "a private PostgreSQL server needs unix sockets, which this system has not",
            'Name a server: `postgresql = "postgresql://…"` under [rehearsal] in policy.toml.',
        )
    install = pginstalls.server(major)
    recipe = private.Recipe(
        prepare=lambda folder, user: _prepare(install, folder, user, order.until),
        command=lambda folder: _command(install, folder),
        ending="SIGQUIT",
    )
    key = ("postgresql", str(install.folder))
    running = private.server(key, recipe, base=order.folder, until=order.until)
    # What copies must be as new as the target; a server of its version brings that along.
    clients = install if install.client and install.major >= major else pginstalls.client(major)
    admin = psql.Server(install=clients, variables=running.admin, until=order.until)
    return Host(admin=admin, number=_settled(admin), where=install.label, private=True)


def _prepare(
    install: pginstalls.Install, folder: Path, user: int | None, until: float
) -> Mapping[str, str]:
    """Make the cluster; its administrator has a name that no target has, and a secret."""
    name, password = f"rulezero_{secrets.token_hex(4)}", secrets.token_hex(24)
    secret = private.secret(folder, password, user)
    command = [
        install.program("initdb"), f"--pgdata={folder / 'data'}", f"--username={name}",
        "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
        "--no-sync", "--no-instructions",
    ]  # fmt: skip
    ours = programs.inherited("PG")
    ran = programs.run(command, variables=ours, until=until, user=user)
    secret.unlink()
    programs.checked(ran, "a private PostgreSQL server could not be made", pginstalls.INSTALL)
    where = {"host": str(folder / "s"), "port": 5432, "dbname": "postgres"}
    return psql.variables({**where, "user": name, "password": password}, ours)


def _command(install: pginstalls.Install, folder: Path) -> list[str]:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    where = ["-D", str(folder / "data"), "-k", str(folder / "s"), "-p", "5432"]
    return [install.program("postgres"), *where, *settings]


def _settled(admin: psql.Server) -> int:
    """Wait until it is done starting, and let no shadow's role into the usual databases.

    Returns:
        Its version, as PostgreSQL counts it.
    """
    closed = (
        "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;\n"
        "SELECT current_setting('server_version_num');\n"
    )
    while (ran := admin.sql(closed)).status != 0:
        if "starting up" not in ran.err or time.monotonic() > admin.until:
            raise NoShadow(
                f"the private PostgreSQL server does not answer ({programs.shape(ran.err)})",
                pginstalls.INSTALL,
            )
        time.sleep(0.02)
    return int(ran.out)


@dataclass(frozen=True, kw_only=True)
class Database:
    """A new, empty database: its owner's way in, and its administrator's."""

    name: str
    password: str
    owner: psql.Server
    admin: psql.Server
    lacks: tuple[str, ...]


@contextlib.contextmanager
def database(place: Host, facts: pgcatalogue.Facts) -> Generator[Database]:
    """A database with a role that owns it and can do nothing else, for the time of the block.

    Raises:
        NoShadow: The server's user may not make them.
    """
    if not place.private:
        _sweep(place.admin)
    name = f"rulezero_shadow_{int(time.time()):08x}{secrets.token_hex(4)}"
    password = secrets.token_hex(24)
    try:
        lacks = _create(place, facts, name, password)
        given = {"PGDATABASE": name, "PGUSER": name, "PGPASSWORD": password}
        options = {"PGOPTIONS": "", "PGSSLCERT": "", "PGSSLKEY": ""} if not place.private else {}
        yield Database(
            name=name,
            password=password,
            owner=place.admin.at(**given, **options),
            admin=place.admin.at(PGDATABASE=name),
            lacks=tuple(lacks),
        )
    finally:
        drop(place.admin, name)


def _create(place: Host, facts: pgcatalogue.Facts, name: str, password: str) -> list[str]:
    made = place.admin.sql(
        f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
        f"PASSWORD {literal(password)};\n"
        f"GRANT {name} TO CURRENT_USER;\n"
    )
    programs.checked(made, "no role could be made for the shadow", _MAKE)
    lacks: list[str] = []
    like = (
        f"ENCODING {literal(facts.encoding)} LC_COLLATE {literal(facts.collate)} "
        f"LC_CTYPE {literal(facts.ctype)}"
    )
    create = f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0"
    closed = f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"
    if not place.admin.tried(f"{create} {like};\n{closed}"):
        plain = place.admin.sql(f"{create};\n{closed}")
        programs.checked(plain, "no database could be made for the shadow", _MAKE)
        lacks.append(f"the collation {facts.collate} of the database")
    return lacks


def drop(admin: psql.Server, name: str) -> None:
    """Remove a shadow's database and role; also those of a shadow that was half made."""
    # Its time may be up; removing it is not what took too long.
    server = psql.Server(
        install=admin.install, variables=admin.variables, until=time.monotonic() + 20
    )
    others = f"FROM pg_stat_activity WHERE datname = {literal(name)} AND pid <> pg_backend_pid()"
    with contextlib.suppress(NoShadow):
        server.fed(
            f"SELECT pg_terminate_backend(pid) {others};\n"
            f"DROP DATABASE IF EXISTS {identifier(name)};\n"
            f"DROP ROLE IF EXISTS {identifier(name)};\n".encode()
        )


def _sweep(admin: psql.Server) -> None:
    """Remove shadows that a killed process left on a server that is not ours alone."""
    found: list[str] = admin.asked(
        "SELECT coalesce(json_agg(DISTINCT name), '[]') FROM (SELECT datname AS name FROM "
        "pg_database UNION SELECT rolname FROM pg_roles) found WHERE name ~ '^rulezero_shadow_' "
        "AND name NOT IN (SELECT datname FROM pg_stat_activity WHERE datname IS NOT NULL)",
        "the shadow's server could not be read",
        _MAKE,
    )
    for name in stale(found):
        drop(admin, name)


def stale(names: list[str]) -> Iterator[str]:
    """Those that are shadows' names of more than an hour ago."""
    for name in names:
        match = SHADOW.match(name)
        if match and time.time() - int(match[1], 16) > _OLD:
            yield name
