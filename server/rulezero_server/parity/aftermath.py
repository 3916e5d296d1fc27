"""What a run that wrote settings files left: which content each file has, and what to clear."""

import contextlib
import json
import os
import time
from pathlib import Path

from rulezero_policies.errors import FileRefused, PlanStale
from rulezero_policies.parity.changes import SettingsFile, SettingsPlan
from rulezero_policies.plan import Plan
from rulezero_server import places, runs
from rulezero_server.parity import keyed, plainfiles
from rulezero_tools.parity.filesport import FileState


def beside(target: Path, plan_id: str) -> Path:
    """Where a file's new content waits: in the same folder, so that it takes its place at once."""
    return target.with_name(f".{target.name.lstrip('.')}.rulezero-{plan_id[-12:]}")


def settings_of(plan: Plan) -> SettingsPlan:
    """The part of the plan that is carried out here.

    Raises:
        PlanStale: It has none.
    """
    if plan.settings is None or not plan.settings.targets:
        raise PlanStale(plan_id=plan.plan_id, differences="it says of no file what is written")
    return plan.settings


def mark(content: bytes | None) -> str | None:
    """The keyed hash of a file's bytes; None where there is no file.

    Raises:
        OSError: The key cannot be read or made.
    """
    return None if content is None else keyed.mark(content)


def note(place: Path, event: str, path: str | None = None) -> None:
    """A line of the journal, on disk before anything that follows it.

    Raises:
        OSError: It cannot be written.
    """
    line = json.dumps({"at": time.time(), "event": f"file {event}", "path": path})
    with places.private_file(place / "journal").open("ab") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def journal(place: Path) -> frozenset[tuple[str, str | None]]:
    """What the journal of a run says: events with their paths."""
    found: set[tuple[str, str | None]] = set()
    with contextlib.suppress(FileNotFoundError):
        for line in (place / "journal").read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError):
                one = json.loads(line)
                found.add((one["event"].removeprefix("file "), one["path"]))
    return frozenset(found)


def state(root: Path, plan: Plan, target: SettingsFile) -> FileState:
    """Whether a file of a plan that ran has its "new" content, or the "old" one.

    A content that is neither is told by the journal: the new one that still waits beside the file
    never took its place.

    Raises:
        FileRefused: Its folder is gone, or lies elsewhere by now.
        OSError: It cannot be looked at.
    """
    now = _now(root, target.path)
    if now in {target.before, target.after}:
        return "new" if now == target.after else "old"
    noted = journal(runs.folder(plan.plan_id))
    if ("ready", None) not in noted or {("put back", target.path), ("left", target.path)} & noted:
        return "old"
    if ("written", target.path) in noted:
        return "new"
    if ("cleared", target.path) in noted or target.after is None:
        return "old"
    waits = beside(plainfiles.inside(root, target.path), plan.plan_id).exists()
    return "old" if waits else "new"


def _now(root: Path, path: str) -> str | None:
    """The keyed hash of a file; "" for what is no plain file any more."""
    try:
        file = plainfiles.look(root, path)
    except FileRefused:
        return ""
    return mark(file.content if file else None)


def sweep(root: Path, plan: Plan) -> None:
    """Remove the new contents that a killed run left beside its files; nobody runs any more."""
    place = runs.folder(plan.plan_id)
    for target in settings_of(plan).targets:
        with contextlib.suppress(OSError, FileRefused):
            left = beside(plainfiles.inside(root, target.path), plan.plan_id)
            if left.is_file() and not left.is_symlink():
                note(place, "left", target.path)
                left.unlink()
