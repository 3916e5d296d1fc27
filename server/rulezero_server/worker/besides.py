"""In a rehearsal of one database of several, the others are what they are, and can only be read.

Env.py connects to every one of them. SQLite's files are opened to be read in any case (`sqlite`); a
connection to a server gets a session that only reads, and a statement that would lift that is
refused, whoever sends it. Other drivers than these open no second database.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast
from weakref import WeakSet

from . import databases, detour, drivers, lifting


class Besides(detour.Detours):
    """Detours with a way to the project's other databases."""

    def __init__(
        self, way: detour.Detour, known: databases.Databases, connecting: Callable[[], Any]
    ) -> None:
        """Take the arguments of `Detours`."""
        super().__init__(way, known, connecting)
        self._reading: WeakSet[Any] = WeakSet()

    def _check(self, connection: Any, statement: object) -> None:
        if connection in self._reading:
            lifting.check(statement)

    def psycopg(self, module: Any) -> None:
        """The statements of a connection are its own, and those of its cursors."""
        way, info, reading = self._way, module.conninfo, self._reading
        owner: Any = next(c for c in module.Connection.__mro__ if "_connect_gen" in vars(c))
        plain: Callable[..., Generator[Any, Any, Any]] = _function(owner)
        super().psycopg(module)
        turned: Callable[..., Generator[Any, Any, Any]] = _function(owner)

        def connect_gen(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
            given = info.conninfo_to_dict(conninfo)
            if not way.is_beside("postgresql", given):
                return (yield from turned(cls, conninfo, *args, **kwargs))
            said = {**given, "options": drivers.reading(given)}
            made: Any = yield from plain(cls, info.make_conninfo("", **said), *args, **kwargs)
            reading.add(made)
            return made

        owner._connect_gen = classmethod(connect_gen)  # noqa: SLF001
        self._psycopg_statements(module, owner)

    def _psycopg_statements(self, module: Any, owner: Any) -> None:
        command, check = owner._exec_command, self._check  # noqa: SLF001 - its own statements
        # Every statement of a cursor is made by it, copies included.
        cursor: Any = next(c for c in module.Cursor.__mro__ if "_convert_query" in vars(c))
        convert = cursor._convert_query  # noqa: SLF001

        def exec_command(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            text = statement.as_string(self) if hasattr(statement, "as_string") else statement
            check(self, text)
            return command(self, statement, *args, **kwargs)

        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            made = convert(self, *args, **kwargs)
            check(self._conn, made.query)
            return made

        owner._exec_command, cursor._convert_query = exec_command, checked  # noqa: SLF001

    def psycopg2(self, module: Any) -> None:
        """A class of connections that only read, as while a project is read."""
        way, extensions, plain = self._way, module.extensions, module._connect  # noqa: SLF001
        super().psycopg2(module)
        turned = module._connect  # noqa: SLF001

        def opened(dsn: str, connection_factory: Any = None, **kwargs: Any) -> Any:
            given = extensions.parse_dsn(dsn)
            if not way.is_beside("postgresql", given):
                return turned(dsn, connection_factory=connection_factory, **kwargs)
            said = {**given, "options": drivers.reading(given)}
            usual = connection_factory or extensions.connection
            factory = drivers.reading_connection(usual, extensions)
            return plain(extensions.make_dsn(**said), connection_factory=factory, **kwargs)

        module._connect = opened  # noqa: SLF001

    def pymysql(self, module: Any) -> None:
        """Connecting, reconnecting and every statement are methods of one class."""
        way, connecting, reading, check = self._way, self._connecting, self._reading, self._check
        owner = module.Connection
        plain, query = owner.connect, owner.query
        super().pymysql(module)
        turned = owner.connect

        def connected(self: Any, *args: Any, **kwargs: Any) -> None:
            if not way.is_beside("mysql", drivers.mysql_given(self)):
                turned(self, *args, **kwargs)
                return
            with connecting():
                plain(self, *args, **kwargs)
            query(self, drivers.MY_READ_ONLY)
            reading.add(self)

        def said(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            check(self, statement)
            return query(self, statement, *args, **kwargs)

        owner.connect, owner.query = connected, said


def _function(owner: Any) -> Any:
    return cast("Any", vars(owner)["_connect_gen"]).__func__
