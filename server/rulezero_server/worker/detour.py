"""In a rehearsal every connection to the target leads to the shadow, and there is no other one.

Nothing of what a project connects to is believed by its name alone: a driver that is told to go to
the target's address is handed the shadow's, whoever tells it; any other address is refused, and so
is a driver that nobody watches. What gets around a watched driver finds `PGOPTIONS` saying that its
session only reads, as while a project is read.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Generator, Mapping
from typing import Any, cast

from . import databases, drivers, errors, readonly

_KEPT = frozenset(
    {
        "application_name", "client_encoding", "connect_timeout", "fallback_application_name",
        "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "options",
    }
)  # fmt: skip
"""Parameters of libpq that say how a session behaves, and nothing about where it goes."""

_SQLITE = frozenset({"pysqlite", "aiosqlite", "pysqlite_numeric", "pysqlite_dollar"})

_UNWATCHED = ("mysql.connector", "asyncmy", "mariadb", "pyodbc", "psqlpy", "MySQLdb._mysql")
"""Drivers, and doors of drivers, that go where they are told to: they open nothing here."""

_WITHOUT_TLS = frozenset({None, "disable", "allow", "prefer"})


class Detour:
    """The one way out of a rehearsal."""

    def __init__(self, shadow: Mapping[str, Any], known: databases.Databases) -> None:
        """Lead from `shadow["target"]`, as `access` said it, to `shadow["to"]`.

        Raises:
            ValueError: Both are one place.
        """
        self._known = known
        self._target, self.to = dict(shadow["target"]), dict(shadow["to"])
        self._beside = _addresses(self._target.get("beside"))
        self._also = _addresses(self._target.get("also"))
        if self._target["dialect"] == "sqlite":
            self._file = os.path.realpath(self._target["path"])
            if _one_file(self._file, self.to["path"]):
                raise ValueError("the shadow is the target")
        elif _overlap(_forms(self._target), _forms(self.to)):
            raise ValueError("the shadow is the target")

    def libpq(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The shadow's parameters in libpq's words, for those that lead to the target.

        Raises:
            RefusedError: They lead elsewhere.
        """
        self.check("postgresql", given)
        said = {name: value for name, value in given.items() if name in _KEPT}
        usual = os.environ.get("PGOPTIONS", "").replace(readonly.PG_OPTION, "").strip()
        # An empty address and a mode keep the environment and service files from saying others.
        fixed = {"hostaddr": "", "sslmode": "prefer", "options": said.get("options") or usual}
        return {**said, **fixed, **self.to["driver"]}

    def check(self, dialect: str, given: Mapping[str, Any]) -> None:
        """Hold where a driver is told to go against the target's and the shadow's address.

        Raises:
            RefusedError: It is neither.
        """
        asked = _forms({"dialect": dialect, "driver": given})
        ways = [*_forms(self._target), *_forms(self.to), *self._also]
        if not _overlap(asked, ways):
            address = asked[-1]
            self._known.elsewhere(address)
            raise errors.RefusedError(
                f"rulezero opens no connection to {address.where} in a rehearsal: "
                "it goes to the shadow of the project's own database, and nowhere else"
            )

    def is_beside(self, dialect: str, given: Mapping[str, Any]) -> bool:
        """Whether it leads to another database of the project, which has no shadow."""
        asked = _forms({"dialect": dialect, "driver": given})
        to_it = _overlap(asked, [*_forms(self._target), *_forms(self.to)])
        return not to_it and _overlap(asked, self._beside)

    @property
    def alone(self) -> bool:
        """Whether the project has no other database on a server."""
        return not self._beside

    def sqlite(self, path: str) -> str | None:
        """The shadow's file for the target's; None for any other file."""
        if self._target["dialect"] != "sqlite":
            return None
        shadow = str(self.to["path"])
        return shadow if _one_file(path, self._file) or _one_file(path, shadow) else None


def _addresses(told: Any) -> list[databases.Address]:
    return [
        databases.Address(a["dialect"], tuple(a["hosts"]), a["port"], a["name"]) for a in told or ()
    ]


def _forms(place: Mapping[str, Any]) -> list[databases.Address]:
    """The addresses that one place may be known by: by its number, and by its name."""
    if place["dialect"] == "sqlite":
        return []
    given = place["driver"]
    if place["dialect"] != "postgresql":
        return [databases.mysql(given)]
    named = {k: v for k, v in given.items() if k != "hostaddr"}
    return [
        databases.postgresql(given),
        *([databases.postgresql(named)] if "host" in given else []),
    ]


def _overlap(some: list[databases.Address], others: list[databases.Address]) -> bool:
    return any(databases.same(one, other) for one in some for other in others)


def _one_file(one: str, other: str) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - two names of one file
    except OSError:
        return False


class Detours(drivers.Drivers):
    """The changes of a rehearsal, one method a driver; `drivers` says where each one connects."""

    def __init__(
        self, way: Detour, known: databases.Databases, connecting: Callable[[], Any]
    ) -> None:
        """Lead connections along `way`; `connecting` opens the sockets for a driver."""
        super().__init__(known, connecting)
        self._way = way

    def wanted(self) -> dict[str, Callable[[Any], None]]:
        """The modules to change; also those of the drivers that nobody watches."""
        return {**super().wanted(), **dict.fromkeys(_UNWATCHED, self.unwatched)}

    def unwatched(self, module: Any) -> None:
        """Nothing is opened by it."""

        def refuse(*_: Any, **__: Any) -> None:
            raise _not_watched(module.__name__)

        module.connect = refuse

    def sqlalchemy(self, module: Any) -> None:
        """The pool connects by a watched driver, or not at all."""
        dialect = module.DefaultDialect
        connect, watched = dialect.connect, drivers.WATCHED | _SQLITE

        @functools.wraps(connect)
        def connected(self: Any, *args: Any, **kwargs: Any) -> Any:
            name = str(getattr(self, "driver", ""))
            if name not in watched:
                raise _not_watched(name)
            return connect(self, *args, **kwargs)

        dialect.connect = connected

    def psycopg(self, module: Any) -> None:
        """Sync and async connections of psycopg 3 are made by one generator."""
        way, info = self._way, module.conninfo
        owner: Any = next(c for c in module.Connection.__mro__ if "_connect_gen" in vars(c))
        connect: Callable[..., Generator[Any, Any, Any]] = cast(
            "Any", vars(owner)["_connect_gen"]
        ).__func__

        def connect_gen(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
            to = way.libpq(info.conninfo_to_dict(conninfo))
            made: Any = yield from connect(cls, info.make_conninfo("", **to), *args, **kwargs)
            return made

        owner._connect_gen = classmethod(connect_gen)  # noqa: SLF001

    def psycopg2(self, module: Any) -> None:
        """Its connections are made by a C function."""
        way, extensions, connect = self._way, module.extensions, module._connect  # noqa: SLF001

        def opened(dsn: str, *args: Any, **kwargs: Any) -> Any:
            to = way.libpq(extensions.parse_dsn(dsn))
            return connect(extensions.make_dsn(**to), *args, **kwargs)

        module._connect = opened  # noqa: SLF001

    def asyncpg(self, module: Any) -> None:
        """Every address that it tries goes through one function."""
        way, connecting = self._way, self._connecting
        place: Any = sys.modules[f"{module.__name__}.connect_utils"]
        connect = place._connect_addr  # noqa: SLF001

        async def connect_addr(*, addr: Any, params: Any, **kwargs: Any) -> Any:
            way.check("postgresql", drivers.asyncpg_given(addr, params))
            to = way.to["driver"]
            changed = {**_tls(to, place), "user": to.get("user"), "password": to.get("password")}
            said = {**changed, "database": to["dbname"]}
            params = params._replace(**{k: v for k, v in said.items() if k in params._fields})
            with connecting():
                return await connect(addr=_address(to), params=params, **kwargs)

        place._connect_addr = connect_addr  # noqa: SLF001

    def pg8000(self, module: Any) -> None:
        """All its kinds of connections are one class."""
        way, connecting, owner = self._way, self._connecting, module.CoreConnection
        init = owner.__init__
        signature = inspect.signature(init)

        @functools.wraps(init)
        def started(self: Any, *args: Any, **kw: Any) -> None:
            said = signature.bind(self, *args, **kw)
            said.apply_defaults()
            way.check("postgresql", drivers.pg8000_given(said.arguments))
            to, address = way.to["driver"], _address(way.to["driver"])
            file = isinstance(address, str)
            said.arguments.update(
                user=to.get("user"), password=to.get("password"), database=to["dbname"],
                host=None if file else address[0], port=5432 if file else address[1],
                unix_sock=address if file else None,
                ssl_context=None if to.get("sslmode") in _WITHOUT_TLS else True,
            )  # fmt: skip
            with connecting():
                init(*said.args, **said.kwargs)

        owner.__init__ = started

    def pymysql(self, module: Any) -> None:
        """Connecting and reconnecting are one method of one class."""
        way, connecting, owner = self._way, self._connecting, module.Connection
        connect = owner.connect

        @functools.wraps(connect)
        def connected(self: Any, *args: Any, **kwargs: Any) -> None:
            way.check("mysql", drivers.mysql_given(self))
            _turn(self, way.to["driver"], "")
            with connecting():
                connect(self, *args, **kwargs)

        owner.connect = connected

    def aiomysql(self, module: Any) -> None:
        """As PyMySQL, with coroutines."""
        way, connecting, owner = self._way, self._connecting, module.Connection
        connect = owner._connect  # noqa: SLF001

        async def connected(self: Any, *args: Any, **kwargs: Any) -> None:
            way.check("mysql", drivers.mysql_given(self))
            _turn(self, way.to["driver"], "_")
            with connecting():
                await connect(self, *args, **kwargs)

        owner._connect = connected  # noqa: SLF001

    def mysqldb(self, module: Any) -> None:
        """Mysqlclient connects as it makes its connection object."""
        way, owner = self._way, module.Connection
        init = owner.__init__

        @functools.wraps(init)
        def started(self: Any, *args: Any, **kwargs: Any) -> None:
            said = {**dict(zip(drivers.MYSQLDB, args)), **kwargs}
            way.check("mysql", said)
            kept = {k: v for k, v in said.items() if k not in _MYSQLDB_WHERE}
            to = {k: v for k, v in way.to["driver"].items() if v is not None}
            init(self, **kept, **to)

        owner.__init__ = started


_MYSQLDB_WHERE = frozenset(
    {
        "host", "user", "password", "passwd", "database", "db", "port", "unix_socket", "ssl",
        "ssl_mode", "read_default_file", "read_default_group",
    }
)  # fmt: skip


def _turn(connection: Any, to: Mapping[str, Any], prefix: str) -> None:
    """Have a connection of PyMySQL or aiomysql go to the shadow when it connects."""
    password = str(to.get("password") or "")
    where = {
        "host": to.get("host") or "localhost",
        "port": int(to.get("port") or 3306),
        "unix_socket": to.get("unix_socket"),
        "user": to.get("user"),
        # PyMySQL has made bytes of the password by now; aiomysql has not.
        "password": password if prefix else password.encode("latin1"),
        "db": to["database"],
    }
    for name, value in where.items():
        setattr(connection, f"{prefix}{name}", value)
    if prefix:
        connection._ssl_context = None  # noqa: SLF001 - a shadow is on this machine, or as its URL says
    else:
        connection.ssl = False


def _address(to: Mapping[str, Any]) -> Any:
    """A host and port, or the path of a socket, as Python's own PostgreSQL drivers take it."""
    host, port = str(to.get("host") or "localhost"), int(to.get("port") or 5432)
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def _tls(to: Mapping[str, Any], place: Any) -> dict[str, Any]:
    mode, modes = to.get("sslmode"), getattr(place, "SSLMode", None)
    if mode not in _WITHOUT_TLS:
        return {}
    return {"ssl": None, **({} if modes is None else {"sslmode": modes.disable})}


def _not_watched(name: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"rulezero does not know the driver {name} well enough to lead it to a shadow; a rehearsal "
        "connects by psycopg, psycopg2, asyncpg, pg8000, PyMySQL, aiomysql, mysqlclient or sqlite3"
    )
