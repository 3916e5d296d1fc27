"""One session with a database's own client, asked several things: they are seen in one snapshot."""

import contextlib
import queue
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from typing import IO

from rulezero_server.shadows import programs
from rulezero_server.shadows.errors import NoShadow


class Session:
    """A client that runs, its statements and what it prints."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", until: float, mark: str, errors: IO[bytes]
    ) -> None:
        """Talk to a client; it prints a text when it is told `mark` with that text in it."""
        self._process = process
        self._until = until
        self._mark = mark
        self._errors = errors
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout or ():
                self._lines.put(line)
        self._lines.put(b"")

    def ask(self, sql: str, what: str) -> bytes:
        """What a statement prints.

        Raises:
            NoShadow: It failed at `what`, or took too long.
        """
        end = f"done-{secrets.token_hex(8)}"
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(f"{sql};\n{self._mark.format(end)}\n".encode())
                self._process.stdin.flush()
        said: list[bytes] = []
        while (line := self._next()).strip() != end.encode():
            if not line:
                raise NoShadow(f"{what} ({self._error()})", "See to that, or allow no real rows.")
            said.append(line)
        return b"".join(said)

    def _next(self) -> bytes:
        try:
            return self._lines.get(timeout=max(self._until - time.monotonic(), 0.1))
        except queue.Empty as late:
            raise NoShadow("reading the target took too long", programs.LONGER) from late

    def _error(self) -> str:
        self._errors.seek(0)
        return programs.shape(self._errors.read().decode(errors="replace")) or "it ended"


@contextlib.contextmanager
def session(
    command: Sequence[str], *, variables: Mapping[str, str], until: float, mark: str
) -> Generator[Session]:
    """A session until the end of the block.

    Args:
        command: The client and its arguments; no secret is among them.
        variables: Its whole environment, secrets too.
        until: When every answer has to be there, by `time.monotonic()`.
        mark: What makes it print the text that stands at `{}`.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            list(command),
            env={**variables, "LC_ALL": "C"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            try:
                yield Session(process, until, mark, errors)
            finally:
                process.kill()
