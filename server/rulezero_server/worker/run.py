"""The one thing the worker does that changes a database: running approved revisions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from . import errors, identity, places, sealed, secrets
from .statements import is_catalogue_read

LONGEST = 4000
"""Characters of a statement that are kept."""


class MovedError(Exception):
    """The database is not the one, or not at the revision, that the approval was given for."""


def prepare(args: dict[str, Any], root: str) -> None:
    """Seal the project's code under `root`; to be called before anything of it is loaded.

    Raises:
        SealError: A sealed copy is not what was approved.
    """
    sealed.install(args["sealed"], root)


def run(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Upgrade or downgrade, as `alembic upgrade` / `flask db upgrade` would.

    Args:
        loaded: The project, loaded after `prepare`.
        args: `direction` ("upgrade" or "downgrade"), `to` (a revision, or "base"), `from` (the
            revisions that the database must be at), `identity` (of the database it must be).

    Returns:
        `statements` in the order they were sent (text only, each cut at `LONGEST` characters),
        `error` (None when it went through) and `seconds`, shaped as `records.RunReport`.
    """
    started = time.monotonic()
    sent: list[str] = []
    error = None
    try:
        _look(loaded, args)
        with _noting(sent):
            _migrate(loaded, args, sent)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - how it ended has to be known
        error = _text(raised, loaded.root)
    return {"statements": sent, "error": error, "seconds": round(time.monotonic() - started, 3)}


def _look(loaded: Any, args: dict[str, Any]) -> None:
    """Alembic makes its version table before it asks for the steps: ask before that, too."""
    steps = _steps(loaded, args)

    def look(current: Sequence[str], context: Any) -> list[Any]:
        steps(current, context)
        return []

    loaded.run_env(look, dont_mutate=True)


def _migrate(loaded: Any, args: dict[str, Any], sent: list[str]) -> None:
    """What `alembic.command.upgrade` and `downgrade` do, with the check made once more inside."""
    steps = _steps(loaded, args)

    def move(current: Sequence[str], context: Any) -> Any:
        before = len(sent)
        chosen = steps(current, context)
        del sent[before:]  # what the check asked is no part of the run
        return chosen

    loaded.run_env(
        move,
        as_sql=False,
        starting_rev=None,
        destination_rev=args["to"],
        tag=None,
        dont_mutate=False,
    )


def _steps(loaded: Any, args: dict[str, Any]) -> Callable[[Sequence[str], Any], Any]:
    expected, steps = args["from"], revision_steps(loaded, args["direction"])

    def checked(current: Sequence[str], context: Any) -> Any:
        _same_database(identity.identity(context.connection), args["identity"])
        at(current, expected)
        return steps(args["to"], current)

    return checked


def revision_steps(loaded: Any, direction: str) -> Callable[[str, Sequence[str]], Any]:
    """What gives the steps to a revision, from the revisions that a database is at."""
    script = loaded.script
    return script._upgrade_revs if direction == "upgrade" else script._downgrade_revs  # noqa: SLF001 - as alembic's commands do


def at(current: Sequence[str], expected: Sequence[str]) -> None:
    """Hold where the database is against where it has to be.

    Raises:
        MovedError: It is elsewhere.
    """
    if set(current) != set(expected):
        found, wanted = _names(current), _names(expected)
        raise MovedError(f"the database is at {found}, not at {wanted}; nothing was sent")


def _same_database(found: dict[str, Any], approved: dict[str, Any]) -> None:
    """Hold what the connection says of itself against what was approved."""
    # An SQLite file that did not exist has no id then; opening it to write has just made it.
    unknown = {"server_id": approved["server_id"]} if approved["server_id"] is None else {}
    if {**found, **unknown} != approved:
        raise MovedError("this is not the database that was approved; nothing was sent")


def _names(revisions: Sequence[str]) -> str:
    return ", ".join(sorted(revisions)) or "base"


@contextmanager
def _noting(sent: list[str]) -> Generator[None, None, None]:
    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not is_catalogue_read(statement):
            sent.append(secrets.scrub(statement.strip()[:LONGEST]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _text(raised: BaseException, root: str) -> str:
    cause = raised.__cause__ if isinstance(raised, errors.Failure) else raised
    if cause is None:
        facts = getattr(raised, "facts", {})
        return secrets.scrub(str(facts.get("error") or raised))
    if isinstance(cause, MovedError):
        return f"MovedError: {cause}"
    return secrets.scrub(f"{errors.text(cause)}{_place(cause, root)}")


def _place(raised: BaseException, root: str) -> str:
    """The innermost place of the project's own code: the revision file, as a rule."""
    found, step = "", raised.__traceback__
    while step is not None:
        path = step.tb_frame.f_code.co_filename
        if places.is_user_code(path, os.path.realpath(root)):
            found = f" ({places.relative(path, os.path.realpath(root))}, line {step.tb_lineno})"
        step = step.tb_next
    return found
