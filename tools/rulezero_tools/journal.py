"""From the lines that a run wrote to what became of each statement."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rulezero_policies.causes import Stopped
from rulezero_tools.records import Landed, RunReport, RunState, Sent, ServerSession

Line = Mapping[str, Any]

_SAVEPOINT = re.compile(r"\s*savepoint\s+(?P<name>\S+)", re.IGNORECASE)
_BACK_TO = re.compile(r"\s*rollback\s+(?:work\s+)?to\s+(?:savepoint\s+)?(?P<name>\S+)", re.I)
_BACK = re.compile(r"\s*(?:rollback|abort)\b", re.IGNORECASE)


@dataclass
class _Entry:
    """A statement while it is read; `state` is Landed, or "sending", "open" or "committing"."""

    sent: Sent
    number: int
    connection: int
    state: str = "sending"


@dataclass
class _Book:
    """What the lines so far say."""

    entries: list[_Entry] = field(default_factory=list[_Entry])
    sessions: list[ServerSession] = field(default_factory=list[ServerSession])
    tries: int = 1

    def read(self, line: Line) -> None:
        """Take in one line; what is not known is passed over."""
        known = _READERS.get(str(line.get("event")))
        if known is not None:
            known(self, line)

    def attempt(self, line: Line) -> None:
        """What an attempt left was rolled back whole, or there would be no other."""
        self.tries = line["n"]
        self.entries.clear()

    def session(self, line: Line) -> None:
        """A connection that was opened."""
        if line["id"] is not None:
            self.sessions.append(ServerSession(family=line["family"], id=line["id"]))

    def send(self, line: Line) -> None:
        """A statement that is about to be sent."""
        sent = Sent(
            text=line["text"],
            landed="running",
            revision=line["revision"],
            place=line["place"],
            reads=line["reads"],
            version=line["version"],
            # Where it is not known whether it commits by itself, it may.
            alone=line["alone"] is not False,
            schema=line.get("schema"),
        )
        self.entries.append(_Entry(sent=sent, number=line["n"], connection=line["c"]))

    def skipped(self, line: Line) -> None:
        """A statement that an earlier run had committed, and that was not sent again."""
        known = {name: line[name] for name in ("text", "revision", "place")}
        one = Sent(**known, landed="skipped")
        self.entries.append(_Entry(sent=one, number=0, connection=0, state="skipped"))

    def sent(self, line: Line) -> None:
        """A statement that went through."""
        entry = self._entry(line)
        entry.state = "open"
        back = _BACK_TO.match(entry.sent.text)
        if back:
            self._back_to(back["name"], entry.connection)
        if line["left"] == "committed":
            undone = _BACK.match(entry.sent.text) and not back
            self._settle(entry.connection, "open", "rolled back" if undone else "committed")

    def failed(self, line: Line) -> None:
        """A statement that failed, and what that did to those before it."""
        entry = self._entry(line)
        cut_off = line["lost"] and entry.sent.alone
        entry.state = "in doubt" if entry.sent.alone else "failed"
        entry.sent = replace(entry.sent, failed=not line["lost"])
        left = "in doubt" if cut_off or line["left"] == "unknown" else line["left"]
        if left != "open":
            self._settle(entry.connection, "open", left)

    def commit(self, line: Line) -> None:
        """A commit that is about to be sent."""
        for entry in self._of(line["c"], "open"):
            entry.state = "committing"
            entry.sent = replace(entry.sent, transaction=line["number"])

    def committed(self, line: Line) -> None:
        """A commit that went through."""
        self._settle(line["c"], "committing", "committed")

    def commit_failed(self, line: Line) -> None:
        """A commit that did not, as far as anybody knows."""
        if line["left"] != "unknown":
            self._settle(line["c"], "committing", line["left"])

    def rolled_back(self, line: Line) -> None:
        """A transaction that was given up."""
        self._settle(line["c"], "open", "rolled back")

    def at(self, line: Line) -> None:
        """Where the last statement about the version table puts the database."""
        for entry in [e for e in self.entries if e.sent.version and not e.sent.reads][-1:]:
            entry.sent = replace(entry.sent, heads=tuple(line["heads"]))

    def _entry(self, line: Line) -> _Entry:
        return next(e for e in self.entries if e.number == line["n"])

    def _of(self, connection: int, state: str) -> list[_Entry]:
        return [e for e in self.entries if (e.connection, e.state) == (connection, state)]

    def _settle(self, connection: int, before: str, after: str) -> None:
        for entry in self._of(connection, before):
            entry.state = after

    def _back_to(self, name: str, connection: int) -> None:
        marks = [
            n for n, e in enumerate(self.entries) if _savepoint(e.sent.text) == name.strip('"`')
        ]
        for entry in self.entries[marks[-1] :] if marks else ():
            if (entry.connection, entry.state) == (connection, "open"):
                entry.state = "rolled back"


_READERS = {
    "attempt": _Book.attempt,
    "session": _Book.session,
    "send": _Book.send,
    "skipped": _Book.skipped,
    "sent": _Book.sent,
    "failed": _Book.failed,
    "commit": _Book.commit,
    "committed": _Book.committed,
    "commit failed": _Book.commit_failed,
    "rolled back": _Book.rolled_back,
    "at": _Book.at,
}


def _savepoint(text: str) -> str | None:
    found = _SAVEPOINT.match(text)
    return found["name"].strip('"`') if found else None


def read(
    lines: Iterable[Line],
    *,
    state: RunState,
    error: str | None,
    seconds: float,
    stopped: Stopped | None = None,
) -> RunReport:
    """The report of a run from its journal.

    Args:
        lines: In order; of kinds that are not known, nothing is taken.
        state: Whether its process is there.
        error: What ended it, by its own word.
        seconds: How long it took, or has been taking.
        stopped: What ended it, taken apart.
    """
    book = _Book()
    for line in lines:
        book.read(line)
    sent = tuple(
        replace(entry.sent, landed=_landed(entry, book, over=state != "running"))
        for entry in book.entries
    )
    return RunReport(
        statements=tuple(s.text for s in sent),
        error=error,
        seconds=seconds,
        sent=sent,
        state=state,
        tries=book.tries,
        sessions=tuple(book.sessions),
        stopped=stopped,
    )


_SETTLED: Mapping[str, Landed] = {
    "committed": "committed",
    "rolled back": "rolled back",
    "failed": "failed",
    "in doubt": "in doubt",
    "skipped": "skipped",
}


def _landed(entry: _Entry, book: _Book, *, over: bool) -> Landed:
    """What became of a statement; no server keeps what nobody can commit any more."""
    if entry.state in _SETTLED:
        return _SETTLED[entry.state]
    if not over:
        return "running"
    if entry.state == "committing":
        return "in doubt"
    # A statement that commits by itself commits what stood open before it, too.
    cut_off = [e for e in book.entries if e.state == "sending" and e.sent.alone]
    return "in doubt" if any(e.connection == entry.connection for e in cut_off) else "rolled back"
