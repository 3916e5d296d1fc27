"""Putting a backup back: the second thing the worker does that changes a database."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from . import identity, journal, locking, mark, retrying, run

_BLOCK = 1 << 20

_KEPT = 1 << 16
"""Bytes of what a program complains about that are looked at; none of them is written anywhere."""

_SANDBOX = b"/*M!999999"
"""How a dump of newer MariaDBs begins; older clients do not know it, and it is of no use here."""


class RestoreError(Exception):
    """The backup could not be put back; says no value of a row."""


def restore(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Put the backup back, under the lock of the database.

    Args:
        loaded: The project, loaded after `run.prepare`.
        args: `from`, `identity`, `limits`, `locks` and `journal` as `run.run` has them; `file` with
            its `sha256`; `mark` as it stood when it was approved; `first` and `last`, the
            statements around what the file holds; `read` and `write`, the programs (neither for
            SQLite), and `secret`, their environment; `held`, the file that is locked while this
            run lives.

    Returns:
        As `run.run`.
    """
    started = time.monotonic()
    book: journal.Journal = args.get("journal") or journal.NoJournal()
    limits = retrying.Limits(args.get("limits"))
    error, lock = None, locking.Lock(args.get("locks"), limits.patience)
    try:
        with contextlib.closing(lock):
            kind, locks = _look(loaded, args, lock, book)
            args = {**args, "first": [*locks, *args["first"]]}
            with _approved(args) as file:
                book.write("restoring")
                if kind == "sqlite":
                    _copy(args, limits)
                else:
                    _feed(args, file)
            book.note("restored")
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - how it ended has to be known
        error = _text(raised, loaded.root)
    seconds = round(time.monotonic() - started, 3)
    return {"statements": [], "error": error, "seconds": seconds, "tries": 1}


def _look(
    loaded: Any, args: dict[str, Any], lock: locking.Lock, book: journal.Journal
) -> tuple[str, list[str]]:
    """Lock, then compare with what was approved; the kind of database, and what else locks it."""
    seen: list[tuple[str, list[str]]] = []

    def look(current: Any, context: Any) -> list[Any]:
        lock.take(context.connection, book)
        run.same_database(identity.identity(context.connection), args["identity"])
        run.at(tuple(current) if not isinstance(current, str) else (current,), args["from"])
        if mark.of(context.connection) != args["mark"]:
            raise run.MovedError("the tables are not those that were approved; nothing was sent")
        seen.append((identity.dialect(context.connection), locking.inside(context.connection)))
        return []

    loaded.run_env(look, dont_mutate=True)
    book.write("checked")
    return seen[0]


@contextlib.contextmanager
def _approved(args: dict[str, Any]) -> Generator[IO[bytes], None, None]:
    """The file of the backup, open from before it was compared until it was put back."""
    with Path(args["file"]).open("rb") as file:
        taken = hashlib.sha256()
        for block in iter(lambda: file.read(_BLOCK), b""):
            taken.update(block)
        if taken.hexdigest() != args["sha256"]:
            raise run.MovedError("the backup is not the one that was approved; nothing was sent")
        file.seek(0)
        yield file


def _copy(args: dict[str, Any], limits: retrying.Limits) -> None:
    """SQLite copies all pages in one transaction: cut off, the file is what it was."""
    until = time.monotonic() + limits.patience

    def patient(status: int, _remaining: int, _total: int) -> None:
        if status in (_BUSY, _LOCKED) and time.monotonic() > until:
            raise locking.BusyError("another process is writing to the file, or reading from it")

    where = f"file:{quote(os.path.realpath(args['file']))}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(where, uri=True)) as source:
        path = args["identity"]["name"]
        with contextlib.closing(sqlite3.connect(path, timeout=limits.lock or 5.0)) as target:
            source.backup(target, pages=-1, progress=patient, sleep=0.1)


_BUSY, _LOCKED = 5, 6
"""Result codes. Source: https://www.sqlite.org/rescode.html"""


def _feed(args: dict[str, Any], file: IO[bytes]) -> None:
    """Send the backup through the database's own client.

    The transaction, where there is one, is ended by the last thing that is sent: a client whose
    sender is killed sees the end of its input before, and ends with nothing kept.
    """
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(_Program(args["write"], args, stdin=subprocess.PIPE))
        reader = None
        if args.get("read"):
            reader = stack.enter_context(_Program(args["read"], args, stdout=subprocess.PIPE))
        source = reader.process.stdout if reader is not None else file
        with contextlib.suppress(BrokenPipeError):
            for piece in _pieces(args, source, reader):
                write.process.stdin.write(piece)
        with contextlib.suppress(BrokenPipeError):
            write.process.stdin.close()
        write.ended()


def _pieces(args: dict[str, Any], source: Any, reader: _Program | None) -> Iterator[bytes]:
    whole = reader is not None
    yield ("BEGIN;\n" if whole else "").encode()
    for statement in args["first"]:
        yield f"{statement};\n".encode()
    head = source.readline()
    if not head.startswith(_SANDBOX):
        yield head
    while True:
        block = source.read(_BLOCK)
        if not block:
            break
        yield block
    if reader is not None:
        reader.ended()
    for statement in args["last"]:
        yield f"{statement};\n".encode()
    yield ("COMMIT;\n" if whole else "").encode()


class _Program:
    """One of the database's programs; the run lives for as long as it does."""

    def __init__(self, command: list[str], args: dict[str, Any], **pipes: Any) -> None:
        """Start it."""
        held = args.get("held")
        self._name = Path(command[0]).name
        self._said = bytearray()
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        given.update(pipes)
        if held is not None and os.name == "posix":
            given["pass_fds"] = (held,)
        self.process: Any = subprocess.Popen(
            command,
            env=args["secret"]["variables"],
            cwd=Path(command[0]).anchor or None,
            stderr=subprocess.PIPE,
            **given,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> _Program:
        """It runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """It does not outlive what it was started for."""
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        for line in self.process.stderr:
            self._said += line
            del self._said[:-_KEPT]

    def ended(self) -> None:
        """Wait for its end.

        Raises:
            RestoreError: It failed.
        """
        status = self.process.wait()
        self._listener.join()
        if status != 0:
            why = _shape(self._said.decode(errors="replace"))
            raise RestoreError(f"{self._name}: {why or f'exit status {status}'}")


_SHAPES = (
    (r"(?:ERROR|FATAL):\s+(permission denied for \w+ [\w.\"]+)", "{0}"),
    (r"(?:ERROR|FATAL):\s+(must be (?:owner|member) of .{0,80})$", "{0}"),
    (r"(?:ERROR|FATAL):\s+(cannot drop \w+ \S+ because other objects depend on it)", "{0}"),
    (r"(?:ERROR|FATAL):\s+((?:type|schema|relation|extension|role) \S+ does not exist)", "{0}"),
    (r"lock timeout|Lock wait timeout", "somebody holds a lock on a table for too long"),
    (r"password authentication failed|Access denied for user", "the login was refused"),
    (r"you need .*?the (.+?) privilege", "the project's user lacks the privilege {0}"),
    (r"No space left|disk is full|could not extend file", "the disk is full"),
    (r"terminating connection|server closed the connection|Lost connection|gone away",
     "the connection was cut"),
    (r"(?:could not|[Cc]an't) connect|Connection refused", "the server does not answer"),
    (r"^ERROR (\d+) ", "the server's error {0}"),
)  # fmt: skip


def _shape(said: str) -> str | None:
    """What went wrong, if it is something known; a program's own words may hold a row's values."""
    for pattern, words in _SHAPES:
        match = re.search(pattern, said, re.MULTILINE)
        if match:
            return words.format(*(str(group)[:120] for group in match.groups()))
    return None


def _text(raised: BaseException, root: str) -> str:
    if isinstance(raised, RestoreError):
        return f"RestoreError: {raised}"
    if isinstance(raised, sqlite3.Error):
        # The message of an error of SQLite may name a value; its kind does not.
        return f"{type(raised).__name__}: {getattr(raised, 'sqlite_errorname', 'unknown')}"
    return run.text_of(raised, root)
