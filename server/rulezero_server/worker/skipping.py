"""Going on where a run stopped: what it committed is not sent again."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from . import secrets
from .statements import bare, keeps_nothing

LONGEST = 4000
"""Characters of a statement that are kept, and compared."""

_HARMLESS = "SELECT 1"
"""What is sent in place of a statement, so that the driver has something to answer."""


class MovedError(Exception):
    """The database, or the revision, is not what the approval was given for."""


def kept(statement: str) -> str:
    """A statement as a journal keeps it."""
    return secrets.scrub(statement.strip()[:LONGEST])


class Skipping:
    """Passes over the first statements of a run's first revision, where they are the given ones.

    Whoever listens to the same engines finds a statement that is passed over by `is_skipped`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Pass over `texts`, in order, each as `kept` has it."""
        self.version_table = "alembic_version"
        self._texts = list(texts)
        self._left: list[str] = []
        self._on = False

    @contextmanager
    def listening(self) -> Generator[None, None, None]:
        """Listen to every engine; to be entered before anybody who asks `is_skipped` listens."""
        if not self._texts:
            yield
            return
        with ExitStack() as stack:
            for name, listener in (
                ("before_cursor_execute", self._before),
                ("do_execute", _answered),
                ("do_executemany", _answered),
                ("do_execute_no_params", _answered_plainly),
            ):
                event.listen(Engine, name, listener)
                stack.callback(event.remove, Engine, name, listener)
            yield

    def begin(self) -> None:
        """A new attempt: no step has been reached."""
        self._on = False

    def through(self, steps: Any) -> Iterator[Any]:
        """Alembic's steps; what is passed over belongs to the first.

        Raises:
            MovedError: The first step sends something else, or not all of it.
        """
        for number, step in enumerate(steps):
            self._on, self._left = number == 0, list(self._texts)
            yield step
            if number == 0 and self._left:
                raise MovedError(f"the revision no longer sends {_short(self._left[0])}")
            self._on = False

    def _before(self, _connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        context = rest[1]
        context.rulezero_skipped = self._on and self._passes(kept(statement))
        if context.rulezero_skipped and _gives_key(context):
            text = "its new key may be needed by what follows"
            raise MovedError(f"{_short(statement)} is committed already, and {text}")

    def _passes(self, text: str) -> bool:
        if keeps_nothing(bare(text)) or self.version_table.lower() in text.lower():
            return False
        if text in self._left:
            # What the revision finds done by looking for itself, it does not send.
            del self._left[: self._left.index(text) + 1]
            return True
        if self._left:
            found, wanted = _short(text), _short(self._left[0])
            raise MovedError(f"the revision sends {found} where {wanted} was committed")
        return False


def is_skipped(context: Any) -> bool:
    """Whether a statement is passed over, by its execution context."""
    return bool(getattr(context, "rulezero_skipped", False))


def send(context: Any, statements: Sequence[str]) -> None:
    """Send SQL as it stands, before any step, in a transaction as Alembic has them here."""
    if not statements:
        return
    with context.begin_transaction(_per_migration=True):
        for text in statements:
            context.connection.exec_driver_sql(text)


def _answered(cursor: Any, _statement: str, _parameters: Any, context: Any) -> bool:
    return _answered_plainly(cursor, _statement, context)


def _answered_plainly(cursor: Any, _statement: str, context: Any) -> bool:
    if not is_skipped(context):
        return False
    cursor.execute(_HARMLESS)
    return True


def _gives_key(context: Any) -> bool:
    """Whether SQLAlchemy gives whoever inserts a row its new key."""
    compiled = getattr(context, "compiled", None)
    inserts = bool(getattr(context, "isinsert", False)) and compiled is not None
    return inserts and not context.executemany and not getattr(compiled, "inline", False)


def _short(text: str) -> str:
    said = " ".join(text.split())
    return f"`{said[:80]}{'…' if len(said) > 80 else ''}`"
