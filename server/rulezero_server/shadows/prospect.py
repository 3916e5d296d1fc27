"""Where a shadow would stand, without making one: for who looks at the set-up."""

import re

from rulezero_server.shadows import myclient, pginstalls, programs
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.wishes import Wishes

_DUMPS = ("mariadb-dump", "mysqldump")


def where(dialect: str, version: str, wishes: Wishes) -> str:
    """Where a shadow of such a database would be made.

    Args:
        dialect: Of the target.
        version: Of its server, as it says it.
        wishes: What the person allows.

    Raises:
        NoShadow: Nowhere; why, and what to do.
    """
    if dialect == "sqlite":
        return "a copy of the file"
    place = wishes.place(dialect)
    if dialect == "postgresql":
        return _postgresql(version, private=place == "private") or _NAMED[place]
    return _mysql(private=place == "private") or _NAMED[place]


_NAMED = {"server": "the target's own server", "url": "the server that policy.toml names"}


def _postgresql(version: str, *, private: bool) -> str | None:
    major = int((re.search(r"\d+", version) or ["0"])[0])
    pginstalls.client(major)
    return pginstalls.server(major).label if private else None


def _mysql(*, private: bool) -> str | None:
    if not any(programs.found(name) for name in _DUMPS):
        raise NoShadow("mariadb-dump was not found here", myclient.INSTALL)
    if not private:
        return None
    if not (programs.found("mariadbd") and programs.found("mariadb-install-db")):
        raise NoShadow("there is no MariaDB server to start here", myclient.INSTALL)
    return "MariaDB, a private server"
