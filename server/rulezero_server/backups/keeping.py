"""Where backups are kept: a folder for each plan, open to its owner alone; none is thrown away."""

import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path

from rulezero_server import places

FOLDER = "backups"

PART = ".part"
"""How the name of a file ends that is no backup yet."""

ROOM = 10_000_000
"""Bytes that have to stay free beside a backup."""

_BLOCK = 1 << 20


def folder(chosen: Path | None) -> Path:
    """The folder of all backups, made if it is missing.

    Raises:
        OSError: It cannot be made, or other users may write into it.
    """
    return places.private_folder((chosen or places.state_dir() / FOLDER).expanduser().absolute())


def of_plan(top: Path, plan_id: str) -> Path:
    """The folder for the backups of one plan.

    Raises:
        OSError: It cannot be made.
    """
    made = places.private_folder(top / plan_id)
    if os.name == "posix":
        made.chmod(places.FOLDER_MODE)  # the folder around it may be one that others may read
    return made


def fresh(place: Path, suffix: str) -> Path:
    """A new, empty file that only its owner may read; until `finished` its name says so.

    Whoever asks is alone in `place`: what others began there, and were killed over, is removed.

    Raises:
        OSError: It cannot be made.
    """
    for left in place.glob(f"*{PART}"):
        left.unlink()
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}{suffix}"
    return places.private_file(place / f"{name}{PART}")


def finished(file: Path) -> Path:
    """Give a backup that is whole, and was tried, its name; it is on the disk then.

    Raises:
        OSError: It is not.
    """
    made = file.with_name(file.name.removesuffix(PART))
    file.rename(made)
    on_disk(made)
    return made


def short_of(top: Path, wanted: int) -> str | None:
    """Why a backup of so many bytes does not fit; None if it does."""
    free = shutil.disk_usage(top).free
    if free >= wanted + ROOM:
        return None
    return f"{top} has {free / 1e6:,.0f} MB free, and the backup may take {wanted / 1e6:,.0f} MB"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        OSError: It cannot be read.
    """
    taken = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            taken.update(block)
    return taken.hexdigest()


def on_disk(path: Path) -> None:
    """Return when a file, and its name, are on the disk.

    Raises:
        OSError: They are not.
    """
    for one in (path, path.parent) if os.name == "posix" else (path,):
        file = os.open(one, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(file)
        finally:
            os.close(file)
