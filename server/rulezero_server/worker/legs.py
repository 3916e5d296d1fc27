"""One way of a rehearsal, by Alembic as in a run, on a database that is certainly the shadow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from . import errors, identity, run, ways
from .cut import Limit, OutOfTimeError
from .load import Loaded
from .skipping import Skipping, send
from .tape import Tape


class Leg(NamedTuple):
    """A way: what it is called, its direction, where it starts and where it leads.

    `skip` and `statements` are as `run.run` takes them.
    """

    name: str
    direction: str
    start: tuple[str, ...]
    to: str
    skip: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


class NotTheShadowError(Exception):
    """The database that answers is the target, or is not the shadow."""


class Shadow(NamedTuple):
    """Which database must answer, and which must not, in the words of `identity`."""

    target: dict[str, Any]
    to: dict[str, Any]

    def check(self, connection: Any) -> None:
        """Ask the database who it is, before anything else is sent to it.

        Raises:
            NotTheShadowError: It is not the shadow.
        """
        found = identity.identity(connection)
        if found["dialect"] == "sqlite":
            same = self._is_file(connection)
        else:
            name = self.to["driver"].get("dbname") or self.to["driver"].get("database")
            same = found["name"] == name and not self._is_target(found)
        if not same:
            raise NotTheShadowError("what answers is not the shadow; nothing was sent")

    def _is_target(self, found: dict[str, Any]) -> bool:
        if found["server_id"] is not None and self.target["server_id"] is not None:
            return bool(found["server_id"] == self.target["server_id"])
        return all(found[part] == self.target[part] for part in ("host", "port", "name"))

    def _is_file(self, connection: Any) -> bool:
        """Which file is open, by its number: its name is still the target's to SQLAlchemy."""
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA database_list")
        files = [row[2] for row in cursor.fetchall() if row[1] == "main"]
        cursor.close()
        if not files or not os.path.samefile(files[0], self.to["path"]):  # noqa: PTH121
            return False
        found = os.stat(files[0])  # noqa: PTH116
        return f"{found.st_dev}:{found.st_ino}" != self.target["server_id"]


def look(loaded: Loaded, shadow: Shadow, fn: Callable[[tuple[str, ...], Any], None]) -> None:
    """Have `fn` look at the shadow, given the revisions that it is at and Alembic's context."""

    def asked(current: Any, context: Any) -> list[Any]:
        shadow.check(context.connection)
        fn(_names(current), context)
        return []

    loaded.run_env(asked, dont_mutate=True)


def go(loaded: Loaded, shadow: Shadow, tape: Tape, leg: Leg) -> BaseException | None:
    """Go a way to its end.

    Returns:
        What it failed with; None when it went through.
    """
    look(loaded, shadow, lambda _current, _context: None)  # Alembic writes before it asks for steps
    steps, skipping = ways.revision_steps(loaded, leg.direction), Skipping(leg.skip)

    def move(current: Any, context: Any) -> Any:
        with tape.quiet():
            shadow.check(context.connection)
            run.at(_names(current), leg.start)
            chosen = list(steps(leg.to, current))
            tape.steps = len(chosen)
        skipping.version_table = context.version_table
        send(context, leg.statements)
        told = _told(loaded, tape, leg, chosen, context.connection)
        return skipping.through(told) if leg.skip else told

    try:
        with skipping.listening(), tape.on(leg.name):
            loaded.run_env(
                move,
                as_sql=False,
                starting_rev=None,
                destination_rev=leg.to,
                tag=None,
                dont_mutate=False,
            )
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - how it ended has to be known
        return cause(raised)
    return None


def _told(
    loaded: Loaded, tape: Tape, leg: Leg, steps: Sequence[Any], connection: Any
) -> Iterator[Any]:
    """The steps, each told before it is taken."""
    for number, step in enumerate(steps, start=1):
        tape.step = str(step.revision.revision) if hasattr(step, "revision") else None
        tape.limit.check()
        loaded.progress(f"rehearsing: {leg.direction} {number} of {len(steps)}, {tape.step or ''}")
        with tape.quiet():
            tape.limit.set_on(connection)
        yield step


def cause(raised: BaseException) -> BaseException:
    """What user code, or a driver, raised."""
    return raised.__cause__ or raised if isinstance(raised, errors.Failure) else raised


def was_cut(raised: BaseException | None, limit: Limit) -> bool:
    """Whether a way ended because its time did."""
    return isinstance(raised, OutOfTimeError) or (raised is not None and limit.over)


def version_table(context: Any) -> tuple[str | None, str]:
    """The schema and the name of Alembic's own table."""
    return context.version_table_schema, context.version_table


def _names(current: Any) -> tuple[str, ...]:
    return (current,) if isinstance(current, str) else tuple(current or ())
