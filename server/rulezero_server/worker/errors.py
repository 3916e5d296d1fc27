"""What user code raises, told apart: which kind of failure, and where."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Any, Iterator, NamedTuple

from . import places, secrets

LONGEST = 1000
"""Characters of a foreign message that are kept."""

_KIND_OF_STAGE = {"app": "AppLoadError", "env": "EnvScriptError", "script": "RevisionScriptError"}

_OURS = frozenset({"alembic", "sqlalchemy", "flask", "flask_migrate"})

_READ_ONLY_TEXT = re.compile(
    r"readonly database|not authorized|read-only transaction|READ ONLY transaction|25006|1792"
)


class Failure(Exception):
    """A failure of which the kind and the facts are known."""

    def __init__(self, kind: str, **facts: Any) -> None:
        """Name a class of the server's project errors and its facts."""
        self.kind = kind
        self.facts = facts
        super().__init__(kind)


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
def stage(name: str, ground: Ground) -> Iterator[None]:
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
    chain = list(_chain(exc))
    for judge in (_read_only, _app_missing, _syntax, _missing_import, _connection, _alembic):
        for link in chain:
            failure = judge(link, name, ground, exc)
            if failure is not None:
                return failure
    return _plain(_KIND_OF_STAGE[name], exc, ground)


def text(exc: BaseException) -> str:
    """What an error says, in one line: the driver's own words where a driver raised it."""
    original = getattr(exc, "orig", None)
    said = " ".join(str(original if isinstance(original, BaseException) else exc).split())
    shown = f"{type(original or exc).__name__}: {said}" if said else type(exc).__name__
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


def _chain(exc: BaseException) -> Iterator[BaseException]:
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


def _plain(
    kind: str, exc: BaseException, ground: Ground, top: BaseException | None = None
) -> Failure:
    file, line = places.of_error(exc, ground.root)
    if top is not None and not places.is_inside(file):
        file, line = places.of_error(top, ground.root)
    return Failure(kind, error=text(exc), file=file, line=line)


def _read_only(link: BaseException, _n: str, ground: Ground, top: BaseException) -> Failure | None:
    refused = isinstance(link, ReadOnlyError)
    if not refused and _is_driver_error(link):
        code = getattr(link, "sqlstate", None) or getattr(link, "pgcode", None)
        refused = code == "25006" or bool(_READ_ONLY_TEXT.search(str(link)))
    return _plain("ReadOnlyRefused", link, ground, top) if refused else None


def _is_driver_error(exc: BaseException) -> bool:
    return any(
        base.__name__ in {"Error", "DatabaseError", "DBAPIError"} for base in type(exc).__mro__
    )


def _app_missing(
    link: BaseException, _n: str, ground: Ground, top: BaseException
) -> Failure | None:
    """Flask's CLI hides an import error of the app's module in the text of its own error."""
    if type(link).__name__ != "NoAppException":
        return None
    inner = link.__context__
    if isinstance(inner, ImportError) and "While importing" in str(link):
        return _missing_import(inner, "app", ground, inner)
    return Failure("AppNotFound", error=" ".join(str(link).partition("\n\n")[0].split()))


def _syntax(link: BaseException, name: str, ground: Ground, top: BaseException) -> Failure | None:
    if not isinstance(link, SyntaxError) or link.filename is None:
        return None
    file = places.relative(link.filename, ground.root)
    said = f"{type(link).__name__}: {link.msg}"
    if name == "script":
        return Failure("RevisionScriptError", file=file, line=link.lineno or 0, error=said)
    if file.endswith("/env.py"):
        return Failure("EnvScriptError", file=file, line=link.lineno or 0, error=said)
    return Failure("ModelSyntaxError", file=file, line=link.lineno or 0, error=link.msg)


def _missing_import(
    link: BaseException, name: str, ground: Ground, top: BaseException
) -> Failure | None:
    if not isinstance(link, ImportError):
        return None
    package = (link.name or "").partition(".")[0]
    missing = isinstance(link, ModuleNotFoundError)
    if missing and (package in _OURS or places.raised_in(link, "sqlalchemy")):
        return Failure("PackageMissing", package=package)
    kind = "RevisionScriptError" if name == "script" else "ModelImportError"
    return _plain(kind, link, ground, top)


def _connection(link: BaseException, _n: str, ground: Ground, top: BaseException) -> Failure | None:
    refused = isinstance(link, OSError) and places.raised_in(top, "asyncpg", "pymysql", "aiomysql")
    unsent = type(link).__name__ in {"OperationalError", "InterfaceError", "DBAPIError"}
    unsent = unsent and hasattr(link, "statement") and getattr(link, "statement", "") is None
    if not refused and not (unsent and places.raised_in(link, "sqlalchemy")):
        return None
    return Failure("NoConnection", error=text(link), database=secrets.last_database())


def _alembic(link: BaseException, name: str, ground: Ground, top: BaseException) -> Failure | None:
    """Alembic's own complaints about the revision files."""
    module = type(link).__module__
    if module == "alembic.script.revision" and name == "script":
        return Failure("RevisionScriptError", error=text(link), file="the revision files", line=0)
    if type(link).__name__ == "CommandError" and module.startswith("alembic"):
        if "Path doesn't exist" in str(link):
            return Failure("NoMigrations", path=str(link).partition(": ")[2].partition(".  ")[0])
    return None
