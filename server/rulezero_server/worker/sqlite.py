"""SQLite that can only be read: the file opened read-only, and an authorizer that allows reading.

A file that does not exist is an empty database in memory, so that looking creates no file.
"""

from __future__ import annotations

import os
import sqlite3
import sqlite3.dbapi2
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode

from . import errors

_CONNECTION_SETTINGS = frozenset(
    {
        "automatic_index", "busy_timeout", "cache_size", "case_sensitive_like",
        "cell_size_check", "defer_foreign_keys", "foreign_keys", "legacy_alter_table",
        "mmap_size", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects",
        "synchronous", "temp_store", "threads", "trusted_schema",
    }
)  # fmt: skip
"""PRAGMAs that change how this connection behaves and nothing else."""

_QUESTIONS = frozenset(
    {
        "application_id", "auto_vacuum", "collation_list", "compile_options",
        "data_version", "database_list", "encoding", "freelist_count", "function_list",
        "journal_mode", "journal_size_limit", "locking_mode", "max_page_count",
        "module_list", "page_count", "page_size", "pragma_list", "query_only",
        "schema_version", "secure_delete", "user_version", "wal_autocheckpoint",
    }
)  # fmt: skip
"""PRAGMAs that only answer, as long as they are given no value."""

_LOOKUPS = frozenset(
    {
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo",
        "integrity_check", "quick_check", "table_info", "table_list", "table_xinfo",
    }
)  # fmt: skip
"""PRAGMAs that only answer, and whose value says about what."""

_READS = frozenset(
    {
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_RECURSIVE,
    }
)

_MEMORY = frozenset({"", ":memory:"})

_heard: list[Callable[[], None]] = []
_ways: list[Any] = []
_ours = threading.local()
_real_connect = sqlite3.connect
_set_authorizer = sqlite3.Connection.set_authorizer


class Guarded(sqlite3.Connection):
    """A connection that opens what it was let through for, and whose authorizer stays.

    `asked` is the file that was asked for, if one was. A class of the project's own comes to this
    one from its `__init__`, so nothing of it runs on a connection that is not held yet.
    """

    asked: str | None = None

    def __init__(self, _database: Any = None, *args: Any, **kwargs: Any) -> None:
        """Open the place that `connect` chose, whatever a class of the project's says.

        Raises:
            ReadOnlyError: `connect` chose none, or it is open already.
        """
        place: _Place | None = getattr(_ours, "place", None)
        if place is None:
            raise _around()
        _ours.opening = place.uri
        try:
            given: dict[str, Any] = {**_named(args), **kwargs, "uri": True}
            super().__init__(place.uri, **given)
        finally:
            _ours.opening = _ours.place = None
        self.asked = place.asked
        _hold(self, place)

    def set_authorizer(self, *_args: Any, **_kwargs: Any) -> None:
        """Keep the one that is set."""


def install(opened: Callable[[], None] | None = None, way: Any = None) -> None:
    """Put the reading connection in front of the driver's own; refuse connections around it.

    Args:
        opened: Is called when a file is about to be opened.
        way: In a rehearsal, what leads from the target's file to the shadow's, which is written to.
    """
    _heard[:] = [opened] if opened else []
    _ways[:] = [way] if way else []
    sqlite3.connect = connect
    sqlite3.dbapi2.connect = connect
    # Before Python 3.11 no event tells that a connection is made by its class.
    for module in (sqlite3, sqlite3.dbapi2, sys.modules["_sqlite3"]):
        cast("Any", module).Connection = Guarded
    sys.addaudithook(_refuse_others)


def connect(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
    """What `sqlite3.connect` is while the project is read. Raises what that raises."""
    place = _target(os.fsdecode(database), uri=_is_uri(args, kwargs))
    factory = kwargs.get("factory", args[5] if len(args) > 5 else Guarded)
    kwargs = {**_named(args), **kwargs, "uri": True, "factory": _guarded(factory)}
    for opened in () if place.free else _heard:
        opened()
    before, _ours.place = getattr(_ours, "place", None), place
    try:
        connection = _real_connect(place.uri, **kwargs)
    finally:
        _ours.place = before
    if not isinstance(connection, Guarded):
        raise _around()
    return connection


def _hold(connection: sqlite3.Connection, place: _Place) -> None:
    """Set what the session may do; no method that a class of the project's may have is called."""
    cursor = sqlite3.Cursor(connection)
    if place.shadow:
        cursor.execute("PRAGMA synchronous=OFF")  # it is thrown away: no crash can hurt it
    if not place.free:
        cursor.execute("PRAGMA query_only=ON")
    cursor.close()
    _set_authorizer(connection, _apart if place.free else reading)


def _guarded(factory: Any) -> Any:
    if not isinstance(factory, type):
        return factory
    kind = cast("type[sqlite3.Connection]", factory)
    bases = (kind,) if issubclass(kind, Guarded) else (kind, Guarded)
    return type("ReadOnlyConnection", bases, {})


def _around() -> errors.ReadOnlyError:
    return errors.ReadOnlyError("a connection to SQLite that goes around sqlite3.connect")


_PARAMETERS = (
    "timeout", "detect_types", "isolation_level", "check_same_thread", "factory",
    "cached_statements", "uri",
)  # fmt: skip


def _named(args: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_PARAMETERS, args))


def _is_uri(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return bool({**_named(args), **kwargs}.get("uri"))


class _Place(NamedTuple):
    """What is opened: `free` is what may be written to, `asked` the file that was asked for."""

    uri: str
    free: bool
    asked: str | None = None
    shadow: bool = False


def _target(database: str, *, uri: bool) -> _Place:
    """What to open instead: the user's own database in memory, the shadow, or a file to read."""
    path, options = database, {}
    if uri and database.startswith("file:"):
        path, _, query = database[len("file:") :].partition("?")
        path, options = _local(unquote(path)), dict(parse_qsl(query.partition("#")[0]))
    if path in _MEMORY or options.get("mode") == "memory" or options.get("vfs") == "memdb":
        return _Place(database if uri else ":memory:", free=True)
    asked = os.path.realpath(path)
    shadow = next((found for found in (way.sqlite(path) for way in _ways) if found), None)
    if shadow is not None:
        return _Place(f"file:{_quoted(shadow)}?mode=rw", free=True, asked=asked, shadow=True)
    if not Path(path).is_file():
        return _Place("file::memory:?mode=memory", free=False, asked=asked)
    options["mode"] = "ro"
    return _Place(f"file:{_quoted(path)}?{urlencode(options)}", free=False, asked=asked)


def _local(path: str) -> str:
    """The path of a `file:` URI without its empty or local authority."""
    for authority in ("//localhost/", "///"):
        if path.startswith(authority):
            path = "/" + path[len(authority) :]
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def _quoted(path: str) -> str:
    absolute = Path(path).absolute().as_posix()
    return quote(absolute if absolute.startswith("/") else "/" + absolute)


def reading(action: int, one: str | None, two: str | None, *_: Any) -> int:
    """An authorizer of SQLite's that lets a connection read, and nothing else."""
    if action in _READS or (action == sqlite3.SQLITE_FUNCTION and two != "load_extension"):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if _pragma_reads(one or "", two) else sqlite3.SQLITE_IGNORE
    return sqlite3.SQLITE_DENY


def _pragma_reads(name: str, value: str | None) -> bool:
    name = name.lower()
    return name in _CONNECTION_SETTINGS | _LOOKUPS or (name in _QUESTIONS and value is None)


def _apart(action: int, one: str | None, two: str | None, *_: Any) -> int:
    """What may be written to reaches no other file: `VACUUM INTO` attaches one, too."""
    attaches_file = action == sqlite3.SQLITE_ATTACH and one not in _MEMORY
    loads_code = action == sqlite3.SQLITE_FUNCTION and two == "load_extension"
    return sqlite3.SQLITE_DENY if attaches_file or loads_code else sqlite3.SQLITE_OK


def _refuse_others(event: str, args: Any) -> None:
    if event != "sqlite3.connect":
        return
    opening: str | None = getattr(_ours, "opening", None)
    # Before Python 3.11 the event tells the name as bytes.
    if opening is None or os.fsdecode(args[0]) != opening:
        raise _around()
