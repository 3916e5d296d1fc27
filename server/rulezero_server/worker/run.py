"""The one thing the worker does that changes a database: running approved revisions."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from . import (
    beside,
    errors,
    explaining,
    identity,
    journal,
    locking,
    places,
    retrying,
    sealed,
    secrets,
    ways,
)
from .noting import Noting
from .skipping import MovedError, Skipping, send


def prepare(args: dict[str, Any], root: str) -> None:
    """Seal the project's code under `root`; to be called before anything of it is loaded.

    Raises:
        SealError: A sealed copy is not what was approved.
    """
    sealed.install(args["sealed"], root)
    if args.get("bind") is not None:
        beside.OneDatabase(args["identity"]).install()


def run(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Upgrade or downgrade, as `alembic upgrade` / `flask db upgrade` would.

    Args:
        loaded: The project, loaded after `prepare`.
        args: `direction` ("upgrade", "downgrade", or "undo" and "purge", which run no
            revision), `to` (a revision, or "base"), `from` (the revisions that the database must
            be at), `identity` (of the database it must be), `skip` (statements of the first
            revision that are committed already), `statements` (SQL that is sent first);
            also `limits` (see `retrying.Limits`), `locks` (the folder of SQLite's lock files) and
            `journal`.

    Returns:
        `statements` in the order they were sent (text only, each cut to a length), `error` (None
        when it went through), `seconds` and `tries`, shaped as `records.RunReport`; also `stopped`,
        what `explaining.noted` says of the error.
    """
    started = time.monotonic()
    book: journal.Journal = args.get("journal") or journal.NoJournal()
    noting, limits = Noting(book, loaded.root), retrying.Limits(args.get("limits"))
    error, stopped, tries = None, None, Tries()
    lock = locking.Lock(args.get("locks"), limits.patience)
    try:
        with _limited(limits), contextlib.closing(lock):
            _look(loaded, args, noting, lock)
            skipping = Skipping(args.get("skip") or ())
            skipping.version_table = noting.version_table[1]
            migrate = partial(_migrate, loaded, args, noting, skipping)
            with skipping.listening(), noting:
                _insist(migrate, noting, limits, tries)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - how it ended has to be known
        error = text_of(raised, loaded.root)
        stopped = _stopped(raised)
    seconds = round(time.monotonic() - started, 3)
    how = {"error": error, "stopped": stopped}
    return {"statements": noting.sent, **how, "seconds": seconds, "tries": tries.made}


class Tries:
    """How often it was tried."""

    def __init__(self) -> None:
        """Not yet."""
        self.made = 0


@contextmanager
def _limited(limits: retrying.Limits) -> Generator[None, None, None]:
    event.listen(Pool, "connect", limits.prepare)
    try:
        yield
    finally:
        event.remove(Pool, "connect", limits.prepare)


def _look(loaded: Any, args: dict[str, Any], noting: Noting, lock: locking.Lock) -> None:
    """Lock, then ask: Alembic makes its version table before it asks for the steps."""
    steps = _steps(loaded, args)

    def look(current: Sequence[str], context: Any) -> list[Any]:
        noting.version_table = (context.version_table_schema, context.version_table)
        lock.take(context.connection, noting.book)
        steps(current, context)
        return []

    loaded.run_env(look, dont_mutate=True)
    noting.book.write("checked")


def _insist(
    migrate: Callable[[], None], noting: Noting, limits: retrying.Limits, tries: Tries
) -> None:
    """Try again, a few times, where a lock was not to be had and nothing was kept."""
    while True:
        tries.made += 1
        noting.attempt(tries.made)
        try:
            return migrate()
        except Exception as raised:
            again = retrying.is_lock_timeout(raised) and tries.made <= limits.retries
            if noting.kept or not again:
                raise
            pause = limits.pause(tries.made)
            noting.book.write("waiting", seconds=pause, error=errors.kind_of(raised))
        retrying.wait(pause)


def _migrate(loaded: Any, args: dict[str, Any], noting: Noting, skipping: Skipping) -> None:
    """What `alembic.command.upgrade` and `downgrade` do, with the check made once more inside."""
    steps = _steps(loaded, args)
    skipping.begin()

    def move(current: Sequence[str], context: Any) -> Any:
        with noting.asleep():
            # An asyncio driver's lock went with the connection that looked.
            if context.dialect.is_async:
                locking.Lock(args.get("locks"), 0).take(context.connection, noting.book)
            chosen = steps(current, context)
        context.on_version_apply_callbacks = (
            *context.on_version_apply_callbacks,
            partial(_arrived, noting.book),
        )
        send(context, args.get("statements") or ())
        return _told(skipping.through(chosen), noting)

    loaded.run_env(
        move,
        as_sql=False,
        starting_rev=None,
        destination_rev=args["to"],
        tag=None,
        dont_mutate=False,
    )


def _told(steps: Any, noting: Noting) -> Generator[Any, None, None]:
    """Alembic's steps, each named in the journal as its turn comes."""
    for step in steps:
        noting.revision = str(step.revision.revision)
        noting.book.write("revision", id=noting.revision)
        yield step


def _arrived(book: journal.Journal, *, heads: Any, **_: Any) -> None:
    book.write("at", heads=sorted(heads))


def _steps(loaded: Any, args: dict[str, Any]) -> Callable[[Sequence[str], Any], Any]:
    expected, steps = args["from"], ways.revision_steps(loaded, args["direction"])

    def checked(current: Sequence[str], context: Any) -> Any:
        same_database(identity.identity(context.connection), args["identity"])
        at(current, expected)
        return steps(args["to"], current)

    return checked


def at(current: Sequence[str], expected: Sequence[str]) -> None:
    """Hold where the database is against where it has to be.

    Raises:
        MovedError: It is elsewhere.
    """
    if set(current) != set(expected):
        found, wanted = _names(current), _names(expected)
        raise MovedError(f"the database is at {found}, not at {wanted}; nothing was sent")


def same_database(found: dict[str, Any], approved: dict[str, Any]) -> None:
    """Hold what the connection says of itself against what was approved.

    Raises:
        MovedError: It is another database.
    """
    # An SQLite file that did not exist has no id then; opening it to write has just made it.
    unknown = {"server_id": approved["server_id"]} if approved["server_id"] is None else {}
    if {**found, **unknown} != approved:
        raise MovedError("this is not the database that was approved; nothing was sent")


def _names(revisions: Sequence[str]) -> str:
    return ", ".join(sorted(revisions)) or "base"


def _cause(raised: BaseException) -> BaseException | None:
    """What user code, or a driver, raised; None for a failure of ours."""
    return raised.__cause__ if isinstance(raised, errors.Failure) else raised


def _stopped(raised: BaseException) -> dict[str, Any] | None:
    cause = _cause(raised)
    if cause is None or isinstance(cause, MovedError):
        return None
    try:
        return explaining.noted(cause)
    except Exception:  # noqa: BLE001 - the error itself is told, whatever else is made of it
        return None


def text_of(raised: BaseException, root: str) -> str:
    """How a run failed, without a secret."""
    cause = _cause(raised)
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
