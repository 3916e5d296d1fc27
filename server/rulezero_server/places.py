"""Where rulezero keeps what it remembers and finds the user's policy: closed to other users."""

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


def config_dir() -> Path:
    """The user's configuration folder; it need not exist. `RULEZERO_CONFIG_DIR` says another."""
    said = os.environ.get("RULEZERO_CONFIG_DIR")
    if said:
        return Path(said).expanduser().absolute()
    from platformdirs import user_config_path  # noqa: PLC0415 - see `_chosen`

    return user_config_path("rulezero", appauthor=False)


def check_closed(path: Path) -> None:
    """Pass if only its owner may write `path`, and that is this user or the system's.

    Raises:
        OSError: Other users may write it, or replace it in its folder; or it cannot be looked at.
    """
    if os.name != "posix":
        return
    file = path.resolve()
    for place in (file, file.parent, path.parent):
        seen = place.stat()
        if seen.st_mode & 0o022:
            raise PermissionError(f"other users may write {place}; close it with chmod go-w")
        if seen.st_uid not in {0, os.getuid()}:
            raise PermissionError(f"{place} belongs to another user")


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
