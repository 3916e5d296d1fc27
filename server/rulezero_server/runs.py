"""The folders of runs: each begins in one, lives in it, and can be found there by any server."""

import contextlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from rulezero_policies.causes import Stopped
from rulezero_policies.errors import ProjectError, RulezeroError, TokenRefused
from rulezero_policies.findings import Fact
from rulezero_server import filelocks, launch, places
from rulezero_tools import journal
from rulezero_tools.records import Aftermath, RunReport, RunState

T = TypeVar("T")

FOLDER, LOCKS, SETTLED = "runs", "locks", "settled"

KEPT = 30 * 24 * 3600
"""Seconds after which a run whose end is recorded leaves no trace in the state folder."""

BOUND = 100_000
"""Rows in the way at which counting stops."""

SECONDS = 5.0
"""That one count of them may take."""

SETTLING = 10.0
"""Seconds that a statement may still take in the database's server after its process is gone."""


def folder(plan_id: str) -> Path:
    """Where the run of a plan lives; it need not exist.

    Raises:
        OSError: The state folder cannot be made.
    """
    return places.private_folder(places.state_dir() / FOLDER) / plan_id


def locks() -> str:
    """The folder of the lock files for SQLite's databases.

    Raises:
        OSError: It cannot be made.
    """
    return str(places.private_folder(places.state_dir() / LOCKS))


def claim(plan_id: str) -> Path:
    """Make the folder for the run of a plan, once.

    Raises:
        TokenRefused: Its run began before, or was given up.
    """
    place = folder(plan_id)
    try:
        place.mkdir(mode=places.FOLDER_MODE)
    except FileExistsError:
        reason = "The run of this plan began before, or was given up as one that never will."
        raise TokenRefused(reason=reason) from None
    return place


class Folders:
    """Implements `rulezero_tools.ports.Runs` for the project of a target."""

    def __init__(self, target: launch.Target) -> None:
        """Ask the database of `target` where the folders do not tell."""
        self._target = target

    @property
    def here(self) -> str:
        """The name of this machine."""
        return socket.gethostname()

    def on(self, bind: str | None) -> "Folders":
        """The same, with that database of the project to be asked."""
        return Folders(replace(self._target, database=bind))

    def began(self, plan_id: str) -> bool:
        """Whether the process of a plan's run was ever there."""
        return (folder(plan_id) / "journal").exists()

    def look(self, plan_id: str, *, wait: bool = False) -> RunReport:
        """What the run has written; one that did not begin until now never will."""
        place = places.private_folder(folder(plan_id))
        if wait:
            filelocks.wait(place / "lock", self._target.run_timeout)
        with filelocks.Look(place / "lock") as seen:
            if seen.free and not (place / "journal").exists():
                (place / "closed").touch(mode=places.FILE_MODE)
            return self.report(place, alive=not seen.free)

    def so_far(self, plan_id: str) -> RunReport:
        """What a run has written that is known to live."""
        return self.report(folder(plan_id), alive=True)

    def report(self, place: Path, *, alive: bool) -> RunReport:
        """The report of the run in `place`, from its own and from its journal."""
        lines = list(_lines(place / "journal"))
        seconds = _took(lines)
        written = _read(place / "report") if not alive else None
        state: RunState = "running" if alive else "died" if lines else "never began"
        if written is None:
            return journal.read(lines, state=state, error=None, seconds=seconds)
        error, stopped = self._ended(written)
        return journal.read(lines, state="ended", error=error, seconds=seconds, stopped=stopped)

    def _ended(self, written: Mapping[str, Any]) -> tuple[str | None, Stopped | None]:
        try:
            found = launch.read(self._target, written).result
        except RulezeroError as refused:
            return str(refused), None
        stopped = found.get("stopped")
        return found["error"], None if stopped is None else _as(Stopped, stopped)

    def aftermath(self, report: RunReport) -> Aftermath:
        """Ask the database about what a run left open.

        Raises:
            ProjectError: The database cannot be asked.
        """
        args = {
            "sessions": [asdict(session) for session in report.sessions],
            "transactions": sorted({s.transaction for s in report.sent if s.transaction}),
            "seconds": SETTLING,
        }
        found = launch.ask(self._target, "aftermath", args).result
        return Aftermath(
            alive=found["alive"],
            committed=found["committed"],
            invalid_indexes=tuple(found["invalid_indexes"]),
        )

    def forget(self, plan_id: str) -> None:
        """Remove the sealed files of a run whose end is recorded, and all of old ones.

        The folder itself stays a while: as long as it is there, the run cannot begin once more.
        """
        with contextlib.suppress(OSError):
            place = folder(plan_id)
            shutil.rmtree(place / "sealed", ignore_errors=True)
            (place / "request").unlink(missing_ok=True)
            (place / SETTLED).touch(mode=places.FILE_MODE)
            _sweep(place.parent)

    def in_the_way(self, report: RunReport) -> Fact | None:
        """Ask the database, read-only and bounded, which rows stopped a run."""
        if report.stopped is None or not report.stopped.probes:
            return None
        args = {
            "stopped": asdict(report.stopped),
            "earlier": report.statements[:-1],
            "bound": BOUND,
            "seconds": SECONDS,
            "total": 2 * SECONDS,
        }
        try:
            found = launch.ask(self._target, "in_the_way", args).result["fact"]
        except ProjectError:
            return None
        return None if found is None else _as(Fact, found)


def _sweep(top: Path) -> None:
    """Remove the folders of runs whose end was recorded long ago."""
    for mark in top.glob(f"*/{SETTLED}"):
        if time.time() - mark.stat().st_mtime > KEPT:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """The journal's lines; one that a full disk or a kill cut in two says nothing."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found


def _as(kind: type[T], value: Mapping[str, Any]) -> T:
    from pydantic import TypeAdapter  # noqa: PLC0415 - not needed until a run has failed

    return TypeAdapter(kind).validate_python(value)


def _took(lines: list[Mapping[str, Any]]) -> float:
    """Seconds from the first line to the last."""
    return round(lines[-1]["at"] - lines[0]["at"], 3) if lines else 0.0


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def await_end(process: Any, seconds: float) -> bool:
    """Wait for a run that this process started: whether it ended within `seconds`.

    A thread stays with it for as long as it lives, so that it leaves no zombie.
    """
    ended = threading.Event()

    def stay() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=stay, daemon=True).start()
    return ended.wait(seconds)
