"""Stands in front of the database drivers that open connections by themselves.

SQLAlchemy's pool is no door of its own: it goes through the same drivers. Each driver is changed as
it is imported, at the one place all its connections, and all its statements, go through: a
connection that is not to the target is refused, one that is let through is made read-only whoever
opened it, and a statement that would lift that is refused.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Generator, Mapping
from typing import Any, cast

from . import databases, lifting, quiet, readonly
from .afterimport import AfterImport

PG_READ_ONLY, MY_READ_ONLY = readonly.MAKE_READ_ONLY["postgresql"], readonly.MAKE_READ_ONLY["mysql"]

_STATUS = "default_transaction_read_only"

WATCHED = frozenset(
    {"psycopg", "psycopg_async", "psycopg2", "asyncpg", "pg8000", "pymysql", "aiomysql", "mysqldb"}
)
"""The drivers below, by SQLAlchemy's names: they say for themselves when they connect."""


class Drivers:
    """The changes, one method a driver."""

    def __init__(self, known: databases.Databases, connecting: Callable[[], Any]) -> None:
        """Ask `known` about addresses; `connecting` opens the sockets for a driver."""
        self._known = known
        self._connecting = connecting

    def install(self) -> None:
        """Change those that are imported already, and from now on each as it is imported."""
        wanted = self.wanted()
        for name, change in wanted.items():
            if name in sys.modules:
                change(sys.modules[name])
        sys.meta_path.insert(0, AfterImport(wanted))

    def wanted(self) -> dict[str, Callable[[Any], None]]:
        """The modules to change, each with what changes it."""
        return {
            "psycopg": self.psycopg,
            "psycopg2": self.psycopg2,
            "asyncpg": self.asyncpg,
            "pg8000.core": self.pg8000,
            "pymysql.connections": self.pymysql,
            "aiomysql.connection": self.aiomysql,
            "MySQLdb.connections": self.mysqldb,
            "sqlalchemy.engine.default": self.sqlalchemy,
            "multiprocessing.resource_tracker": quiet.resource_tracker,
            "ctypes.util": quiet.ctypes_util,
        }

    def sqlalchemy(self, module: Any) -> None:
        """Drivers that are not known here may connect for the pool, which looks at them then."""
        dialect, connecting = module.DefaultDialect, self._connecting
        connect = dialect.connect

        @functools.wraps(connect)
        def connected(self: Any, *args: Any, **kwargs: Any) -> Any:
            known = str(getattr(self, "driver", "")) in WATCHED
            if known:
                return connect(self, *args, **kwargs)
            with connecting():
                return connect(self, *args, **kwargs)

        dialect.connect = connected

    def psycopg(self, module: Any) -> None:
        """Sync and async connections of psycopg 3 are made by one generator."""
        known, info = self._known, module.conninfo
        owner: Any = next(c for c in module.Connection.__mro__ if "_connect_gen" in vars(c))
        connect: Callable[..., Generator[Any, Any, Any]] = cast(
            "Any", vars(owner)["_connect_gen"]
        ).__func__
        command = owner._exec_command  # noqa: SLF001 - where its own statements go through
        start = owner._start_query  # noqa: SLF001 - is asked before each of the user's statements

        def connect_gen(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
            given = info.conninfo_to_dict(conninfo)
            address = databases.postgresql(given)
            known.check(address)
            said = {**given, "options": reading(given)}
            made: Any = yield from connect(cls, info.make_conninfo("", **said), *args, **kwargs)
            known.opened(made, address, given)
            return made

        def exec_command(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            said = statement.as_string(self) if hasattr(statement, "as_string") else statement
            lifting.check(said)
            return command(self, statement, *args, **kwargs)

        def start_query(self: Any, *args: Any, **kwargs: Any) -> Any:
            lifting.check_status(self.pgconn.parameter_status(_STATUS.encode()))
            return start(self, *args, **kwargs)

        owner._connect_gen = classmethod(connect_gen)  # noqa: SLF001
        owner._exec_command, owner._start_query = exec_command, start_query  # noqa: SLF001
        for name, query in vars(sys.modules["psycopg._queries"]).items():
            if name.startswith("Postgres") and "convert" in vars(query):
                query.convert = _checked_after(query.convert)

    def psycopg2(self, module: Any) -> None:
        """Its connections are made by a C function, and their statements sent by C classes."""
        known, extensions, connect = self._known, module.extensions, module._connect  # noqa: SLF001

        def opened(dsn: str, connection_factory: Any = None, **kwargs: Any) -> Any:
            given = extensions.parse_dsn(dsn)
            address = databases.postgresql(given)
            known.check(address)
            said = {**given, "options": reading(given)}
            factory = reading_connection(connection_factory or extensions.connection, extensions)
            made = connect(extensions.make_dsn(**said), connection_factory=factory, **kwargs)
            known.opened(made, address, given)
            return made

        module._connect = opened  # noqa: SLF001

    def asyncpg(self, module: Any) -> None:
        """Every address that it tries goes through one function."""
        known, connecting = self._known, self._connecting
        place: Any = sys.modules["asyncpg.connect_utils"]
        owner = module.Connection
        connect, reset = place._connect_addr, owner.reset  # noqa: SLF001

        async def connect_addr(*, addr: Any, params: Any, **kwargs: Any) -> Any:
            given = asyncpg_given(addr, params)
            address = databases.postgresql(given)
            known.check(address)
            with connecting():
                made = await connect(addr=addr, params=params, **kwargs)
            await made.execute(PG_READ_ONLY)
            known.opened(made, address, given)
            return made

        async def reset_all(self: Any, *args: Any, **kwargs: Any) -> None:
            await reset(self, *args, **kwargs)
            await execute(self, PG_READ_ONLY)

        execute = owner.execute
        place._connect_addr, owner.reset = connect_addr, reset_all  # noqa: SLF001
        owner.execute = _checked(owner.execute)
        for name in ("_get_statement", "_copy_out", "_copy_in"):
            setattr(owner, name, _checked(getattr(owner, name)))

    def pg8000(self, module: Any) -> None:
        """All its kinds of connections are one class."""
        known, connecting, owner = self._known, self._connecting, module.CoreConnection
        init, query, parse = owner.__init__, owner.send_QUERY, owner.send_PARSE

        @functools.wraps(init)
        def started(self: Any, user: Any, host: Any = "localhost", *args: Any, **kw: Any) -> None:
            said = {**dict(zip(("database", "port", "password"), args)), **kw}
            given = pg8000_given({"user": user, "host": host, **said})
            address = databases.postgresql(given)
            known.check(address)
            with connecting():
                init(self, user, host, *args, **kw)
            self.execute_simple(PG_READ_ONLY)
            self.reads_only = True
            known.opened(self, address, given)

        def hold(self: Any, statement: Any) -> None:
            lifting.check(statement)
            if "reads_only" in vars(self):
                lifting.check_status(self.parameter_statuses.get(_STATUS))

        def send_query(self: Any, sql: Any) -> Any:
            hold(self, sql)
            return query(self, sql)

        def send_parse(self: Any, name: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            hold(self, statement)
            return parse(self, name, statement, *args, **kwargs)

        owner.__init__, owner.send_QUERY, owner.send_PARSE = started, send_query, send_parse

    def pymysql(self, module: Any) -> None:
        """Connecting, reconnecting and every statement are methods of one class."""
        known, connecting, owner = self._known, self._connecting, module.Connection
        connect, query = owner.connect, owner.query

        @functools.wraps(connect)
        def connected(self: Any, *args: Any, **kwargs: Any) -> None:
            given = mysql_given(self)
            address = databases.mysql(given)
            known.check(address)
            with connecting():
                connect(self, *args, **kwargs)
            query(self, MY_READ_ONLY)
            known.opened(self, address, given)

        owner.connect, owner.query = connected, _checked(query)

    def aiomysql(self, module: Any) -> None:
        """As PyMySQL, with coroutines."""
        known, connecting, owner = self._known, self._connecting, module.Connection
        connect, query = owner._connect, owner.query  # noqa: SLF001

        async def connected(self: Any, *args: Any, **kwargs: Any) -> None:
            given = mysql_given(self)
            address = databases.mysql(given)
            known.check(address)
            with connecting():
                await connect(self, *args, **kwargs)
            await query(self, MY_READ_ONLY)
            known.opened(self, address, given)

        owner._connect, owner.query = connected, _checked(query)  # noqa: SLF001

    def mysqldb(self, module: Any) -> None:
        """Mysqlclient connects as it makes its connection object."""
        known, owner = self._known, module.Connection
        init, query = owner.__init__, owner.query

        @functools.wraps(init)
        def started(self: Any, *args: Any, **kwargs: Any) -> None:
            given = {**dict(zip(MYSQLDB, args)), **kwargs}
            address = databases.mysql(given)
            known.check(address)
            init(self, *args, **kwargs)
            query(self, MY_READ_ONLY)
            known.opened(self, address, given)

        owner.__init__, owner.query = started, _checked(query)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """A method that sends a statement, held against what a reading session may say."""

    @functools.wraps(original)
    def checked(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        lifting.check(statement)
        return original(self, statement, *args, **kwargs)

    return checked


def _checked_after(convert: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(convert)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        convert(self, *args, **kwargs)
        lifting.check(self.query)

    return checked


MYSQLDB = ("host", "user", "password", "database", "port")
"""Mysqlclient's positional arguments."""


def asyncpg_given(addr: Any, params: Any) -> dict[str, Any]:
    """Where asyncpg is about to go, in libpq's words."""
    where = _socket(addr) if isinstance(addr, str) else _host(addr)
    said = {"dbname": params.database, "user": params.user, "password": params.password}
    mode: Any = getattr(params, "sslmode", None)
    known = {} if mode is None else {"sslmode": str(mode.name).replace("_", "-")}
    return {**where, **{k: v for k, v in said.items() if isinstance(v, str)}, **known}


def pg8000_given(said: Mapping[str, Any]) -> dict[str, Any]:
    """Where pg8000 is told to go, in libpq's words."""
    path = said.get("unix_sock")
    where = _socket(path) if path else {k: said.get(k) for k in ("host", "port")}
    named = {"user": said.get("user"), "dbname": said.get("database")}
    every = {**where, **named, "password": said.get("password")}
    return {k: v for k, v in every.items() if v is not None}


def mysql_given(connection: Any) -> dict[str, Any]:
    """Where a connection of PyMySQL or aiomysql is told to go."""
    names = ("host", "port", "unix_socket", "user", "db")
    return {
        **{name: getattr(connection, name, None) for name in names},
        "password": getattr(connection, "password", getattr(connection, "_password", None)),
    }


def reading(given: Mapping[str, Any]) -> str:
    """Libpq's options by which a session only reads, after those that are given."""
    said = given.get("options") or os.environ.get("PGOPTIONS", "")
    return f"{said} {readonly.PG_OPTION}".strip()


def _socket(path: str) -> dict[str, str]:
    """A unix socket's path in libpq's words: its folder, and the port in its name."""
    folder, _, name = path.rpartition("/")
    return {"host": folder, "port": name.rpartition(".")[2]}


def _host(address: Any) -> dict[str, Any]:
    return {"host": address[0], "port": address[1]}


def reading_connection(base: Any, extensions: Any) -> Any:
    """A class of psycopg2 connections whose sessions stay as they are."""

    class ReadOnlyConnection(base):  # pyright: ignore[reportUntypedBaseClass] - a driver has no types
        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            given: dict[str, Any] = dict(zip(("name", "cursor_factory"), args), **kwargs)
            usual = cast("Any", given.get("cursor_factory") or type(base.cursor(self)))
            given["cursor_factory"] = _reading_cursor(usual)
            return base.cursor(self, *args[2:], **given)

        def set_session(self, *args: Any, **kwargs: Any) -> None:
            _refuse_writing({**dict(zip(("isolation_level", "readonly"), args)), **kwargs})
            base.set_session(self, *args, **kwargs)

        @property
        def readonly(self) -> Any:
            return extensions.connection.readonly.__get__(self)

        @readonly.setter
        def readonly(self, value: Any) -> None:
            _refuse_writing({"readonly": value})
            extensions.connection.readonly.__set__(self, value)

    ReadOnlyConnection.__module__ = base.__module__  # SQLAlchemy's driver is told by it
    return ReadOnlyConnection


def _refuse_writing(session: dict[str, Any]) -> None:
    wanted = session.get("readonly", True)
    if wanted is not True and str(wanted).lower() != "default":
        lifting.check("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")


@functools.cache
def _reading_cursor(base: Any) -> Any:
    """A class of psycopg2 cursors that send nothing by which a session could write."""

    def checked(name: str) -> Callable[..., Any]:
        def method(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            said = statement.as_string(self) if hasattr(statement, "as_string") else statement
            lifting.check(said)
            lifting.check_status(self.connection.get_parameter_status(_STATUS))
            return getattr(base, name)(self, statement, *args, **kwargs)

        return method

    names = ("execute", "executemany", "copy_expert")
    made: Any = type("ReadOnlyCursor", (base,), {name: checked(name) for name in names})
    return made
