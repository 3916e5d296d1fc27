"""How the connection that env.py migrates is opened, for the copy that a rehearsal is made on."""

from __future__ import annotations

import os
from typing import Any

from . import errors, identity
from .load import Loaded

_LIBPQ = frozenset(
    {
        "host", "hostaddr", "port", "user", "password", "dbname", "options", "service", "passfile",
        "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "gssencmode",
        "channel_binding", "target_session_attrs", "connect_timeout", "krbsrvname",
    }
)  # fmt: skip


def access(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """What opens the target, as its driver was given it.

    Returns:
        `dialect`, and `path` (SQLite; ":memory:" for what is in no file) or `driver` (the
        connection's parameters, only those that were given; the password is among them); `beside`,
        the addresses of the project's other databases that are on a server, if there are any.

    Raises:
        Failure: The driver is none of those that are watched, or env.py fails.
    """
    seen: list[dict[str, Any]] = []
    known = loaded.databases
    at: list[Any] = []

    def look(_: Any, context: Any) -> list[Any]:
        seen.append(_of(loaded, context.connection))
        at.append(known.address)
        return []

    loaded.run_env(look, dont_mutate=True)
    others = known.beside(at[0])
    return {**seen[0], **({"beside": others} if others else {})}


def _of(loaded: Loaded, connection: Any) -> dict[str, Any]:
    dialect = identity.dialect(connection)
    if dialect == "sqlite":
        return {"dialect": dialect, "path": sqlite_path(connection)}
    given = loaded.databases.parameters
    if given is None:
        raise errors.Failure(
            "NoConnection",
            error=f"the driver {connection.dialect.driver} does not tell how it connects",
            database=dialect,
        )
    return {"dialect": dialect, "driver": (_libpq if dialect == "postgresql" else _mysql)(given)}


def sqlite_path(connection: Any) -> str:
    """The file that was asked for, whichever one was opened."""
    raw: Any = identity.driver_connection(connection)
    asked = getattr(getattr(raw, "_conn", raw), "asked", None)
    if isinstance(asked, str):
        return asked
    named = connection.engine.url.database or ":memory:"
    return named if named == ":memory:" else os.path.realpath(named)


def _libpq(given: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in given.items() if name in _LIBPQ and value}


def _mysql(given: dict[str, Any]) -> dict[str, Any]:
    said = {
        **{name: given.get(name) for name in ("host", "port", "unix_socket", "user")},
        "password": given.get("password") or given.get("passwd"),
        "database": given.get("database") or given.get("db"),
    }
    return {name: _plain(value) for name, value in said.items() if value}


def _plain(value: Any) -> Any:
    """PyMySQL makes bytes of the user and the password once it has connected."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin1")
    return value if isinstance(value, int) else str(value)
