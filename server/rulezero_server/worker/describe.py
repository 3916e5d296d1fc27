"""The project as its own interpreter sees it: revisions, heads, and the database as it stands."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

import alembic
import sqlalchemy

from . import errors, identity, locking
from .load import Loaded


def describe(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Everything of `records.Description` but the interceptions, which every reply carries.

    With `static` in `args` no database is asked: only its dialect is told. With `lenient` revision
    files that do not load, and a database at an unknown revision, are no failure.

    Raises:
        Failure: SeveralDatabases, NoConnection, UnknownDatabaseRevision or a failing env.py.
    """
    return {
        "flavour": loaded.flavour,
        "root": loaded.root,
        "script_location": path_under(loaded.root, str(loaded.script.dir)),
        "versions": [path_under(loaded.root, str(p)) for p in version_locations(loaded)],
        "heads": sorted(loaded.script.get_heads()),
        "revisions": revisions(loaded),
        "database": not_asked(loaded) if args.get("static") else _online(loaded, args),
        "flaws": loaded.flaws,
        "python": platform.python_version(),
        "alembic": alembic.__version__,
        "sqlalchemy": sqlalchemy.__version__,
    }


def version_locations(loaded: Loaded) -> list[str]:
    """The folders that hold revision files, absolute."""
    # Alembic has no public name for it where there are several.
    found: Any = getattr(loaded.script, "_version_locations")  # noqa: B009
    return [str(place) for place in found]


def revisions(loaded: Loaded) -> list[dict[str, Any]]:
    """Every revision file, base first."""
    found = reversed(list(loaded.script.walk_revisions()))
    return [
        {
            "id": script.revision,
            "down": _as_list(script.down_revision),
            "depends": _as_list(script.dependencies),
            "path": path_under(loaded.root, str(script.path)),
            "message": script.doc or "",
            "branch_labels": sorted(script.branch_labels or ()),
        }
        for script in found
    ]


def _online(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    return database(loaded, lenient=bool(args.get("lenient")), locks=args.get("locks"))


def database(loaded: Loaded, *, lenient: bool = False, locks: str | None = None) -> dict[str, Any]:
    """Identity, version, current revisions and fingerprint of the one database env.py opens.

    `locked` is whether a migration run holds its lock; `locks` the folder of SQLite's lock files.
    """
    seen: list[dict[str, Any]] = []

    def look(current: Any, context: Any) -> list[Any]:
        held = locking.is_held(context.connection, locks)
        seen.append({**_look(current, context), "locked": held})
        return []

    loaded.run_env(look)
    refuse_several([entry["identity"] for entry in seen])
    if not lenient:
        refuse_unknown(loaded, seen[0]["current"])
    return seen[0]


def not_asked(loaded: Loaded) -> dict[str, Any]:
    """The database as env.py names it offline; nothing is connected to.

    Raises:
        Failure: env.py does not run offline.
    """
    seen: list[Any] = []

    def look(_current: Any, context: Any) -> list[Any]:
        seen.append(context.dialect)
        return []

    loaded.run_env(look, as_sql=True, starting_rev=None)
    unknown = {"host": None, "port": None, "name": "not asked", "server_id": None}
    return {
        "identity": {"dialect": seen[0].name, **unknown},
        "version": "not asked",
        "current": [],
        "fingerprint": None,
    }


def _look(current: Any, context: Any) -> dict[str, Any]:
    connection = context.connection
    table = (context.version_table_schema, context.version_table)
    return {
        "identity": identity.identity(connection),
        "version": identity.version(connection),
        "current": sorted(_as_list(current)),
        "fingerprint": identity.fingerprint(connection, table),
    }


def refuse_several(identities: list[dict[str, Any]]) -> None:
    """One run of env.py must be one migration of one database."""
    if len(identities) > 1:
        names = ", ".join(str(entry["name"]) for entry in identities)
        raise errors.Failure("SeveralDatabases", count=len(identities), databases=names)


def refuse_unknown(loaded: Loaded, current: Sequence[str]) -> None:
    """The database must stand at revisions of which the files exist."""
    known = {script.revision for script in loaded.script.walk_revisions()}
    for revision in current:
        if revision not in known:
            raise errors.Failure("UnknownDatabaseRevision", revision=revision)


def path_under(root: str, path: str) -> str:
    """`path` relative to the root with `/`; absolute where it lies outside."""
    real = os.path.realpath(path)
    inside = real == root or real.startswith(root + os.sep)
    return (os.path.relpath(real, root) if inside else real).replace(os.sep, "/")


def _as_list(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(entry) for entry in value]
