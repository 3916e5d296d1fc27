"""What a run does, written down durably before and after it is done: JSON lines, each fsynced."""

from __future__ import annotations

import json
import os
import time
from typing import Any


class Journal:
    """Lines that are on the disk when `write` returns.

    `event` and `at` (seconds since 1970) stand in every line; statement texts are scrubbed by
    whoever hands them in, and no value of a row is ever handed in.
    """

    def __init__(self, path: str) -> None:
        """Append to the file at `path`, which only its owner may read."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        self._torn = False

    def write(self, event: str, **facts: Any) -> None:
        """Add a line.

        Raises:
            OSError: It is not on the disk: what comes after it must not be done.
        """
        line = json.dumps({"event": event, "at": round(time.time(), 3), **facts})
        # A line that a full disk cut in two is ended first, so that it spoils no other.
        data = f"{chr(10) if self._torn else ''}{line}\n".encode()
        self._torn = True
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)
        self._torn = False

    def note(self, event: str, **facts: Any) -> None:
        """Add a line about what is done already: if it cannot be written, nothing is undone."""
        try:
            self.write(event, **facts)
        except OSError:
            self._torn = True


class NoJournal(Journal):
    """For a run that nobody has to find again."""

    def __init__(self) -> None:
        """There is no file."""

    def write(self, event: str, **facts: Any) -> None:
        """Forget it."""
