"""What settings files held before a plan changed them, kept in the state folder."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rulezero_server import places
from rulezero_server.parity import keyed
from rulezero_server.parity.plainfiles import Plain

FOLDER, LIST = "settings-backups", "list.json"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file of a backup, by where it was and its keyed hash; None: there was no file."""

    path: str
    mark: str | None
    copy: str | None
    mode: int | None


def folder(plan_id: str) -> Path:
    """Where the backup of a plan is; it need not exist.

    Raises:
        OSError: The state folder cannot be made.
    """
    return top() / plan_id


def top() -> Path:
    """Where all of these backups are.

    Raises:
        OSError: It cannot be made.
    """
    return places.private_folder(places.state_dir() / FOLDER)


def keep(plan_id: str, files: Mapping[str, Plain | None]) -> Path:
    """Copy files into the backup of a plan, read it back, and say where it is.

    Raises:
        OSError: It cannot be written, or does not hold what was written.
    """
    place = places.private_folder(folder(plan_id))
    kept = [_copy(place, number, *item) for number, item in enumerate(sorted(files.items()))]
    written = json.dumps([one.__dict__ for one in kept]).encode()
    _write(place / LIST, written)
    settle(place)
    for one in read(plan_id):
        content(plan_id, one)
    return place


def _copy(place: Path, number: int, path: str, file: Plain | None) -> Kept:
    if file is None:
        return Kept(path=path, mark=None, copy=None, mode=None)
    name = f"{number:06d}"
    _write(place / name, file.content)
    return Kept(path=path, mark=keyed.mark(file.content), copy=name, mode=file.mode)


def _write(place: Path, content: bytes) -> None:
    with places.private_file(place).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def settle(place: Path) -> None:
    """Have the names in a folder outlive a loss of power; Windows knows no such thing."""
    if os.name == "posix":
        file = os.open(place, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def read(plan_id: str) -> tuple[Kept, ...]:
    """What the backup of a plan holds.

    Raises:
        OSError: There is none, or it cannot be read.
    """
    try:
        found: Iterable[Mapping[str, object]] = json.loads((folder(plan_id) / LIST).read_bytes())
        return tuple(Kept(**one) for one in found)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise OSError("the backup's list is damaged") from error


def content(plan_id: str, one: Kept) -> bytes | None:
    """The bytes of a file of the backup; None where there was no file.

    Raises:
        OSError: They are gone, or not what was kept.
    """
    if one.copy is None:
        return None
    found = (folder(plan_id) / one.copy).read_bytes()
    if keyed.mark(found) != one.mark:
        raise OSError("a file of the backup is not what was kept")
    return found
