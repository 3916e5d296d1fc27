"""A run of its own: a process that outlives whoever started it, and tells nobody but its folder.

The folder holds `request`; the process adds `journal` as it goes and `report` at its end, and holds
`lock` for as long as it lives. A folder that holds `closed` was given up: nothing runs there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import lockfile, protocol
from .journal import Journal

HANDED = "RULEZERO_RUN_HANDED"
"""The variable that holds what a run needs and no file may hold; gone before the project loads."""


def main(folder: str, held: str) -> None:
    """Carry out the one request of `folder`, then end, whatever threads still run.

    `held` is the file under which this process was handed the lock, or nothing.
    """
    place, secret = Path(folder), os.environ.pop(HANDED, None)
    if not _locked(place, held) or _is_over(place):
        os._exit(3)
    journal = Journal(str(place / "journal"))
    journal.write("start", pid=os.getpid())
    with open(place / "request", encoding="utf-8") as file:  # noqa: PTH123 - as in protocol
        request = json.load(file)
    request["args"].update(journal=journal, held=int(held) if held else None)
    if secret is not None:
        request["args"]["secret"] = json.loads(secret)
    reply = protocol.Session(_unheard).answer(request)
    journal.note("end", ok=reply["ok"])
    _report(place, reply)
    os._exit(0)


def _locked(place: Path, held: str) -> bool:
    """Whether the lock is ours, until this process ends and no longer."""
    if held:
        os.set_inheritable(int(held), False)  # noqa: FBT003 - it takes no name
        return True
    # Who looks whether this run lives holds the lock for a moment; who gives it up leaves word.
    return lockfile.hold(str(place / "lock"), wait=True) is not None


def _unheard(text: str) -> None:
    """Who started the run may be gone: what it does stands in the journal."""
    del text


def _is_over(place: Path) -> bool:
    return any((place / name).exists() for name in ("closed", "report", "journal"))


def _report(place: Path, reply: object) -> None:
    """Write under another name first, and see it on the disk before it is called the report."""
    part = os.open(place / "report.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    data = json.dumps(reply).encode()
    while data:
        data = data[os.write(part, data) :]
    os.fsync(part)
    os.close(part)
    os.replace(place / "report.part", place / "report")  # noqa: PTH105 - as in protocol
