"""The folders of runs: each begins in one, lives in it, and can be found there by any server."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rulezero_policies.errors import RulezeroError, TokenRefused
from rulezero_server import filelocks, launch, places
from rulezero_tools import journal
from rulezero_tools.records import Aftermath, RunReport, RunState

FOLDER, LOCKS = "runs", "locks"

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
        return journal.read(lines, state="ended", error=self._error(written), seconds=seconds)

    def _error(self, written: Mapping[str, Any]) -> str | None:
        try:
            return launch.read(self._target, written).result["error"]
        except RulezeroError as refused:
            return str(refused)

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


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """The journal's lines; one that a full disk or a kill cut in two says nothing."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found


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
