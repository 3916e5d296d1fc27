"""Writes down every statement of a run, and every transaction's end, as they happen."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from . import commits, identity, journal, places
from .skipping import is_skipped, kept
from .statements import bare, is_catalogue_read, is_read, keeps_nothing

_ROWS = re.compile(r"(?:UPDATE|INSERT|DELETE)\b", re.IGNORECASE)
"""Statements of which the schema tells nothing: a backfill sends a thousand, each on its own."""

OURS = "rulezero"
"""The execution option of what the worker itself asks."""


class Noting:
    """Listens to every engine while it is entered.

    `sent` are the statements in order (as `skipping.kept` has them); `kept` is
    whether anything but reading and making the version table was committed since `attempt`.
    """

    def __init__(self, book: journal.Journal, root: str) -> None:
        """Write into `book`; name places under `root`."""
        self.book = book
        self.sent: list[str] = []
        self.kept = False
        self.revision: str | None = None
        self.version_table: tuple[str | None, str] = (None, "alembic_version")
        self._root = root
        self._asleep = False
        self._open = False
        self._known: str | None = None
        self._connections: list[Any] = []
        self._dialects: list[Any] = []

    def __enter__(self) -> Noting:
        """Listen from now on."""
        for name, listener in self._listeners():
            event.listen(Engine, name, listener)
        return self

    def __exit__(self, *_: Any) -> None:
        """Listen no longer."""
        for name, listener in self._listeners():
            event.remove(Engine, name, listener)
        for dialect in self._dialects:
            del dialect.do_commit, dialect.do_rollback

    def _listeners(self) -> tuple[tuple[str, Any], ...]:
        return (
            ("before_cursor_execute", self._before),
            ("after_cursor_execute", self._after),
            ("handle_error", self._failed),
        )

    @contextmanager
    def asleep(self) -> Generator[None, None, None]:
        """What is asked meanwhile is no part of the run."""
        before, self._asleep = self._asleep, True
        try:
            yield
        finally:
            self._asleep = before

    def attempt(self, number: int) -> None:
        """A new attempt begins; the last one left nothing."""
        self.book.write("attempt", n=number)
        self.kept, self._open, self.revision, self._known = False, False, None, None

    def _ours(self, connection: Any) -> bool:
        return self._asleep or OURS in connection.get_execution_options()

    def _before(self, connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        context = rest[1]
        if self._ours(connection) or is_catalogue_read(statement):
            return
        raw = commits.driver_connection(connection.connection)
        number = self._number(connection, raw)
        text = kept(statement)
        file, line = places.of_caller(self._root)
        place = f"{file}, line {line}" if places.is_inside(file) else None
        if is_skipped(context):
            self.book.write("skipped", text=text, revision=self.revision, place=place)
            return
        alone = commits.commits_itself(raw, statement)
        # Whether it counted, if nobody hears its end, is told by the schema as it was before it.
        told = _ROWS.match(bare(statement)) or is_read(bare(statement))
        if alone is not False and not told:
            self._known = self._known or self._schema(connection)
        self.book.write(
            "send",
            n=len(self.sent) + 1,
            c=number,
            text=text,
            reads=keeps_nothing(bare(statement)),
            version=self._is_version(text),
            alone=alone,
            schema=self._known,
            revision=self.revision,
            place=place,
        )
        self.sent.append(text)
        context.rulezero_number = len(self.sent)
        context.rulezero_marked = commits.mark(raw, statement)

    def _after(self, connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        number = getattr(rest[1], "rulezero_number", None)
        if number is None or self._ours(connection):
            return
        left = commits.left_by(commits.driver_connection(connection.connection), statement)
        changes = not keeps_nothing(bare(statement)) and not self._makes_version(statement)
        self._open = self._open or changes
        if changes:
            self._known = None
        if left == "committed":
            self.kept = self.kept or self._open
            self._open = False
        self.book.write("sent", n=number, left=left)

    def _failed(self, context: Any) -> None:
        number = getattr(context.execution_context, "rulezero_number", None)
        if number is None or context.connection is None or self._ours(context.connection):
            return
        left, lost = "rolled back", bool(context.is_disconnect)
        if not lost:
            raw = commits.driver_connection(context.connection.connection)
            marked = context.execution_context.rulezero_marked
            left = commits.left_by_failure(raw, context.original_exception, marked=marked)
        self.kept = self.kept or (left in {"committed", "unknown"} and self._open)
        self.book.note("failed", n=number, left=left, lost=lost)

    def _schema(self, connection: Any) -> str | None:
        """The schema's fingerprint, so that it can be told later whether the next one counted."""
        try:
            with self.asleep():
                return identity.fingerprint(connection, self.version_table)
        except Exception:  # noqa: BLE001 - it is only asked to tell more, never needed
            return None

    def _number(self, connection: Any, raw: Any) -> int:
        """The connection's number; one that is new is written down as the server knows it."""
        for number, known in enumerate(self._connections, start=1):
            if known is raw:
                return number
        self._connections.append(raw)
        self._watch(connection.dialect)
        family = commits.family(raw)
        self.book.write("session", c=len(self._connections), family=family, id=commits.session(raw))
        return len(self._connections)

    def _is_version(self, text: str) -> bool:
        return self.version_table[1].lower() in text.lower()

    def _makes_version(self, statement: str) -> bool:
        return statement.lstrip()[:6].upper() == "CREATE" and self._is_version(
            statement.partition("(")[0]
        )

    def _watch(self, dialect: Any) -> None:
        """A commit is written down before it is sent, with the number to ask for it later."""
        if any(known is dialect for known in self._dialects):
            return
        self._dialects.append(dialect)
        commit, rollback = dialect.do_commit, dialect.do_rollback

        def do_commit(connection: Any) -> None:
            self._ending(connection, commit, "commit", "committed")

        def do_rollback(connection: Any) -> None:
            self._ending(connection, rollback, "rollback", "rolled back")

        dialect.do_commit, dialect.do_rollback = do_commit, do_rollback

    def _ending(self, connection: Any, end: Any, begun: str, done: str) -> None:
        raw = commits.driver_connection(connection)
        known = [n for n, one in enumerate(self._connections, start=1) if one is raw]
        if not known or commits.is_open(raw) is False:
            end(connection)
            return
        if begun == "commit":
            self.book.write(begun, c=known[0], number=commits.number(raw))
        try:
            end(connection)
        except Exception:
            if begun == "commit":
                left = commits.left_by_commit(raw)
                self.kept = self.kept or (left == "unknown" and self._open)
                self.book.note("commit failed", c=known[0], left=left)
            raise
        self.kept = self.kept or (done == "committed" and self._open)
        self._open = False
        self.book.note(done, c=known[0])
