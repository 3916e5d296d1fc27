"""Every statement of a rehearsal: from which line, how long, in which transaction, what it did."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from . import identity, places, secrets, statements, watching
from .cut import Limit
from .load import Loaded
from .skipping import is_skipped
from .transactions import Transactions

LONGEST = 2000
"""Characters of a statement that are kept."""

_CHANGES = re.compile(r"\s*(?:with\b.*?\b)?(?:insert|update|delete|merge|replace)\b", re.I | re.S)

_LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w.\"`])\d+(?:\.\d+)?(?![\w\"`])")
"""A string or a number in a statement."""

_SESSION = re.compile(
    r"\s*(?:set|pragma|begin|start|commit|end|rollback|savepoint|release|lock|use)\b", re.I
)
"""What changes nothing but the session."""


class Tape:
    """Listens to SQLAlchemy's engines while a leg runs; `sent` holds what it heard."""

    def __init__(self, loaded: Loaded, limit: Limit) -> None:
        """Know the revision files of the project; stop at `limit`."""
        self.sent: list[dict[str, Any]] = []
        self.step: str | None = None
        self.steps = 0
        self.failed: dict[str, Any] | None = None
        self._root, self.limit = loaded.root, limit
        self._texts: dict[str, str] = {}
        self._revisions = {_real(str(s.path)): s for s in loaded.script.walk_revisions()}
        self._places: dict[str, Any] = {}
        self._leg, self._first = "", 0.0
        self._quiet = False
        self._now: tuple[dict[str, Any], Any, float] | None = None
        self._observers: dict[int, watching.Observer] = {}
        self._transactions = Transactions()

    @contextmanager
    def on(self, leg: str) -> Generator[None, None, None]:
        """Note what is sent while it lasts, as sent in this leg."""
        self._leg, self.failed, self.step = leg, None, None
        self._observers.clear()
        heard = {
            "before_cursor_execute": self._before,
            "after_cursor_execute": self._after,
            "handle_error": self._error,
            "commit": self._committed,
            "rollback": self._rolled_back,
        }
        for name, listener in heard.items():
            event.listen(Engine, name, listener)
        try:
            yield
        finally:
            for name, listener in heard.items():
                event.remove(Engine, name, listener)
            self._now = None

    @contextmanager
    def quiet(self) -> Generator[None, None, None]:
        """While it lasts nothing is noted."""
        kept, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = kept

    def earlier(self) -> list[str]:
        """The statements of this leg that went through, as they are shown."""
        return [
            e["sent"]["sql"] for e in self.sent if e["sent"]["leg"] == self._leg and not e["failed"]
        ]

    def told(self) -> list[dict[str, Any]]:
        """What was sent, shaped as `rehearsal.Sent`."""
        done = self._transactions.committed
        return [
            {**entry, "committed": not failed and (number is None or number in done)}
            for entry, failed, number in ((e["sent"], e["failed"], e["number"]) for e in self.sent)
        ]

    def place(self, raised: BaseException) -> tuple[Any, int] | None:
        """The innermost revision, and the line of it, that an error came through."""
        found: tuple[Any, int] | None = None
        step = raised.__traceback__
        while step is not None:
            script = self._revision(step.tb_frame.f_code.co_filename)
            found = found if script is None else (script, step.tb_lineno)
            step = step.tb_next
        return found

    def _before(self, connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        self._now = None
        if self._quiet or is_skipped(rest[1]) or statements.is_catalogue_read(statement):
            return
        frame = self._frame()
        if frame is None and statements.is_read(statements.bare(statement)):
            return  # Alembic asks where it is, or env.py asks something
        self.limit.check()
        entry: dict[str, Any] = {
            "sent": self._entry(statement, frame),
            "failed": False,
            "number": None,
        }
        with self.quiet():
            state = self._observer(connection).before(connection, statement)
        self.sent.append(entry)
        self.limit.running(connection)
        started = time.monotonic()
        self._first = self._first or started
        entry["sent"]["start"] = round(started - self._first, 6)
        self._now = entry, state, started

    def _after(
        self, connection: Any, cursor: Any, statement: str, _p: Any, _c: Any, _many: Any
    ) -> None:
        if self._now is None or self._quiet:
            return
        (entry, state, started), self._now = self._now, None
        sent = entry["sent"]
        sent["seconds"] = round(time.monotonic() - started, 6)
        self.limit.running(None)
        entry["number"] = sent["transaction"] = self._transactions.ran(connection, statement)
        count = getattr(cursor, "rowcount", -1)
        if _CHANGES.match(statements.bare(statement)) and isinstance(count, int) and count >= 0:
            sent["rows"] = count
        with self.quiet():
            sent.update(self._observer(connection).after(state))

    def _error(self, context: Any) -> None:
        if self._now is None or self._quiet:
            return
        (entry, _, started), self._now = self._now, None
        self.limit.running(None)
        entry["sent"]["seconds"] = round(time.monotonic() - started, 6)
        entry["failed"] = True
        self.failed = entry["sent"]
        if context.connection is not None:
            number = self._transactions.ran(context.connection, "")
            entry["number"] = entry["sent"]["transaction"] = number

    def _committed(self, connection: Any) -> None:
        self._transactions.ended(connection, committed=True)

    def _rolled_back(self, connection: Any) -> None:
        self._transactions.ended(connection, committed=False)

    def _observer(self, connection: Any) -> watching.Observer:
        key = id(identity.driver_connection(connection))
        if key not in self._observers:
            self._observers[key] = watching.observer(connection)
        return self._observers[key]

    def _entry(self, statement: str, frame: tuple[Any, int] | None) -> dict[str, Any]:
        script = frame[0] if frame else None
        shown = self._shown(statement, script)
        return {"leg": self._leg, "sql": shown, "start": 0.0, "seconds": 0.0, **self.where(frame)}

    def where(self, place: tuple[Any, int] | None) -> dict[str, Any]:
        """A line of a revision, as `rehearsal.Sent` has it."""
        if place is None:
            return {"revision": self.step, "file": None, "line": None}
        path = places.relative(str(place[0].path), self._root)
        return {"revision": place[0].revision, "file": path, "line": place[1]}

    def _frame(self) -> tuple[Any, int] | None:
        """The revision, and the line in it, that the present statement comes from."""
        for frame in places.stack():
            script = self._revision(frame.f_code.co_filename)
            if script is not None:
                return script, frame.f_lineno
        return None

    def _revision(self, path: str) -> Any:
        if path not in self._places:
            self._places[path] = self._revisions.get(_real(path))
        return self._places[path]

    def _shown(self, statement: str, script: Any) -> str:
        """A statement without values that stand in no revision: those came out of a table."""
        text = secrets.scrub(statement.strip())
        if _CHANGES.match(statements.bare(text)):
            text = self._masked(text, script)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def _masked(self, text: str, script: Any) -> str:
        known = self._text(script)
        return _LITERAL.sub(lambda m: m[0] if _stands_in(m[0], known) else "…", text)

    def _text(self, script: Any) -> str:
        if script is None:
            return " ".join(s.revision for s in self._revisions.values())
        if script.revision not in self._texts:
            with open(script.path, encoding="utf-8") as file:  # noqa: PTH123 - what is sealed
                self._texts[script.revision] = file.read()
        return self._texts[script.revision]


def changes(entries: list[dict[str, Any]]) -> Iterator[str]:
    """The statements that changed more than the session they were sent in."""
    for entry in entries:
        sql = entry["sql"]
        text = statements.bare(sql)
        if not _SESSION.match(text) and not statements.is_read(text):
            yield sql


def _stands_in(literal: str, text: str) -> bool:
    bare = literal.strip("'").replace("''", "'")
    return literal in text or (literal.startswith("'") and bare in text)


def _real(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))
