"""Where rulezero keeps what it remembers: the user's state folder, closed to other users."""

import os
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def state_dir() -> Path:
    """The state folder, made if it is missing; `RULEZERO_STATE_DIR` says another one.

    Raises:
        OSError: It cannot be made or closed to other users.
    """
    return private_folder(_chosen())


def store_path() -> Path:
    """The file of the default store; it need not exist yet.

    Raises:
        OSError: Its folder cannot be made.
    """
    return state_dir() / "store.sqlite3"


def private_folder(path: Path) -> Path:
    """Make `path` with its parents, open to its owner alone, or take the one that is there.

    Raises:
        OSError: It cannot be made, or other users may write into it.
    """
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    # A folder that was there is never closed by us: it may be one that others need.
    if os.name == "posix" and path.stat().st_mode & 0o022:
        raise PermissionError(f"other users may write into {path}; close it with chmod 700")
    return path


def private_file(path: Path) -> Path:
    """Make `path` as an empty file, or keep the one there; only its owner may read it.

    Raises:
        OSError: It cannot be made or closed.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(FILE_MODE)
    return path


def _chosen() -> Path:
    said = os.environ.get("RULEZERO_STATE_DIR")
    if said:
        return Path(said).expanduser().absolute()
    # platformdirs costs milliseconds that a start with a chosen folder need not pay.
    from platformdirs import user_state_path  # noqa: PLC0415

    return user_state_path("rulezero", appauthor=False)
