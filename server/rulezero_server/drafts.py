"""A draft is rewritten here and nowhere else: what stood there is kept beside it."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from rulezero_policies.errors import FilesMoved, NotADraft

MOST_KEPT = 1000
"""Old versions of one revision that are kept beside it."""


def rewrite(root: Path, places: frozenset[Path], name: str, *, before: bytes, after: bytes) -> str:
    """Put `after` in place of `before`, at once, and keep the old file beside it.

    Args:
        root: The project's root folder.
        places: The version locations.
        name: The revision file, as a path under `root`.
        before: What the file must hold.
        after: What it holds then.

    Returns:
        Where the old file is, as a path under `root`: a name that neither Alembic nor Python loads.

    Raises:
        FilesMoved: It holds something else.
        NotADraft: It is no plain file of a version location, or cannot be written.
    """
    path = root / name
    _check(path, places)
    try:
        if path.read_bytes() != before:
            raise FilesMoved(path=name)
        kept = _keep(path, before)
        _replace(path, before, after)
    except OSError as error:
        reason = f"{name} cannot be written: {error.strerror}"
        raise NotADraft(revision=path.stem, reason=reason) from error
    return (kept.relative_to(root) if kept.is_relative_to(root) else kept).as_posix()


def _check(path: Path, places: frozenset[Path]) -> None:
    real = path.resolve()
    plain = path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1
    if not plain or not any(real.is_relative_to(place.resolve()) for place in places):
        reason = "its file is a link, or does not stand in a version location"
        raise NotADraft(revision=path.stem, reason=reason)


def _keep(path: Path, data: bytes) -> Path:
    """The old bytes under the first name that is free; nothing is written over."""
    for number in range(1, MOST_KEPT):
        kept = path.with_name(f"{path.name}.before-fix-{number}")
        with suppress(FileExistsError):
            with kept.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            return kept
    raise FileExistsError(17, "too many old versions are kept beside it")


def _replace(path: Path, before: bytes, after: bytes) -> None:
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    new = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(stat.S_IMODE(path.stat().st_mode))
        # Whoever edited it meanwhile must not lose that.
        if path.read_bytes() != before:
            raise FilesMoved(path=path.name)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
