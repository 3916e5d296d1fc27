"""What user code raises, told apart: which kind of failure, and where."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import places, secrets

LONGEST = 1000
"""Characters of a foreign message that are kept."""

_KIND_OF_STAGE = {"app": "AppLoadError", "env": "EnvScriptError", "script": "RevisionScriptError"}

_OURS = frozenset({"alembic", "sqlalchemy", "flask", "flask_migrate"})

_READ_ONLY = re.compile(
    r"readonly database|not authorized$|authorization denied$|prohibited$|read-only transaction"
    r"|READ ONLY transaction"
)
"""How SQLite, PostgreSQL and MariaDB refuse a write in a session that only reads."""

_REFUSED = frozenset({"25006", "SQLITE_AUTH", "SQLITE_READONLY"})

_CONNECTING = ("asyncpg", "pymysql", "aiomysql", "asyncmy", "psycopg", "pg8000")


class Failure(Exception):
    """A failure of which the kind and the facts are known."""

    def __init__(self, kind: str, **facts: Any) -> None:
        """Name a class of the server's project errors and its facts."""
        self.kind = kind
        self.facts = facts
        super().__init__(kind)


class RefusedError(PermissionError):
    """A way out of this process, refused while the project is only read."""


class ReadOnlyError(Exception):
    """A write, refused by the worker before a driver saw it."""


class Ground(NamedTuple):
    """Where the project stands: what is inside it is the user's code."""

    root: str


def as_json(failure: Failure, interceptions: list[dict[str, Any]]) -> dict[str, Any]:
    """A failure for the reply, without secrets, with what was kept from running before it."""
    facts = {k: secrets.scrub(v) if isinstance(v, str) else v for k, v in failure.facts.items()}
    if failure.kind in _KIND_OF_STAGE.values() and interceptions:
        kept = "; ".join(f"{i['call']} at {i['file']}:{i['line']}" for i in interceptions)
        facts["error"] = f"{facts.get('error')} (kept from running before this: {kept})"
    return {"kind": failure.kind, "facts": facts}


@contextmanager
def stage(name: str, ground: Ground) -> Generator[None]:
    """Turn what is raised inside into a `Failure` of this stage: app, env or script."""
    try:
        yield
    except Failure:
        raise
    except BaseException as exc:
        raise typed(exc, name, ground) from exc


def typed(exc: BaseException, name: str, ground: Ground) -> Failure:
    """The failure that `exc` is, raised in stage `name`."""
    if isinstance(exc, Failure):
        return exc
    links = list(chain(exc))
    for judge in _JUDGES:
        for link in links:
            failure = judge(_Raised(link, name, ground, exc))
            if failure is not None:
                return failure
    return _Raised(exc, name, ground, exc).failure(_KIND_OF_STAGE[name])


def text(exc: BaseException) -> str:
    """What an error says, in one line: the driver's own words where a driver raised it."""
    original = getattr(exc, "orig", None)
    said = " ".join(str(original if isinstance(original, BaseException) else exc).split())
    shown = f"{type(original or exc).__name__}: {said}" if said else type(exc).__name__
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


def kind_of(exc: BaseException) -> str:
    """What an error is called: the driver's name for it, without a word of what it says."""
    cause = exc.__cause__ if isinstance(exc, Failure) and exc.__cause__ else exc
    original = getattr(cause, "orig", None)
    return type(original or cause).__name__


def chain(exc: BaseException) -> Iterator[BaseException]:
    """The error, what the driver raised, and what caused it; never twice the same."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [exc]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        original = getattr(link, "orig", None)
        following = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        waiting += [original if isinstance(original, BaseException) else None, following]


class _Raised(NamedTuple):
    """One link of a chain of errors, and the error that was raised at the end of it."""

    link: BaseException
    stage: str
    ground: Ground
    top: BaseException

    @property
    def name(self) -> str:
        return type(self.link).__name__

    def failure(self, kind: str) -> Failure:
        """This link as a failure, at the place of the user's code that it came through."""
        file, line = places.of_errors((self.link, self.top), self.ground.root)
        return Failure(kind, error=text(self.link), file=file, line=line)


def _read_only(raised: _Raised) -> Failure | None:
    link = raised.link
    refused = isinstance(link, ReadOnlyError) or (
        _is_driver_error(link)
        and (_state(link) in _REFUSED or 1792 in link.args or bool(_READ_ONLY.search(str(link))))
    )
    return raised.failure("ReadOnlyRefused") if refused else None


def _refused(raised: _Raised) -> Failure | None:
    """What the guard kept from happening is no trouble of the database's."""
    refused = isinstance(raised.link, RefusedError)
    return raised.failure(_KIND_OF_STAGE[raised.stage]) if refused else None


def _is_driver_error(exc: BaseException) -> bool:
    return any(base.__name__ in {"Error", "DatabaseError"} for base in type(exc).__mro__)


def _state(exc: BaseException) -> Any:
    return (
        getattr(exc, "sqlstate", None)
        or getattr(exc, "pgcode", None)
        or getattr(exc, "sqlite_errorname", None)
    )


def _app_missing(raised: _Raised) -> Failure | None:
    """Flask's CLI hides an import error of the app's module in the text of its own error."""
    if raised.name != "NoAppException":
        return None
    inner = raised.link.__context__
    if isinstance(inner, ImportError) and "While importing" in str(raised.link):
        return _missing_import(_Raised(inner, "app", raised.ground, inner))
    said = str(raised.link).partition("\n\n")[0]
    return Failure("AppNotFound", error=" ".join(said.split()).rstrip("."))


def _syntax(raised: _Raised) -> Failure | None:
    link = raised.link
    if not isinstance(link, SyntaxError) or link.filename is None:
        return None
    if raised.stage == "script":
        return raised.failure("RevisionScriptError")
    file, line = places.of_error(link, raised.ground.root)
    if file.rpartition("/")[2] == "env.py":
        return raised.failure("EnvScriptError")
    return Failure("ModelSyntaxError", file=file, line=line, error=link.msg)


def _missing_import(raised: _Raised) -> Failure | None:
    link = raised.link
    if not isinstance(link, ImportError):
        return None
    package = (link.name or "").partition(".")[0]
    missing = isinstance(link, ModuleNotFoundError)
    if missing and (package in _OURS or places.ended_in(link, "sqlalchemy")):
        return Failure("PackageMissing", package=package)
    in_revision = raised.stage == "script" and not missing
    return raised.failure("RevisionScriptError" if in_revision else "ModelImportError")


def _connection(raised: _Raised) -> Failure | None:
    """What was raised before any statement was sent."""
    refused = isinstance(raised.link, OSError) and places.raised_in(raised.top, *_CONNECTING)
    wrapped = raised.name in {"OperationalError", "InterfaceError", "DBAPIError"}
    unsent = wrapped and getattr(raised.link, "statement", "") is None
    if not refused and not unsent:
        return None
    return Failure("NoConnection", error=text(raised.link), database=secrets.last_database())


def _alembic(raised: _Raised) -> Failure | None:
    """Alembic's own complaints about the configuration and the revision files."""
    said = str(raised.link)
    if raised.name == "CommandError" and "Path doesn't exist" in said:
        path = said.partition(": ")[2].partition(".  ")[0].strip("'\"")
        return Failure("NoMigrations", path=places.relative(path, raised.ground.root))
    if raised.name == "CommandError" and "script_location" in said:
        return Failure("NoMigrations", path="that script_location names")
    if isinstance(raised.link, KeyError) and places.ended_in(raised.link, "alembic"):
        wanted = str(raised.link.args[0])
        file, line = places.of_text("down_revision", wanted, raised.ground.root)
        error = f"down_revision names {wanted}, which no revision file has"
        return Failure("RevisionScriptError", error=error, file=file, line=line)
    return None


_JUDGES = (_refused, _read_only, _app_missing, _syntax, _missing_import, _connection, _alembic)
"""Asked in this order; the first that knows an error names it."""
