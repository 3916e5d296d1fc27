"""Keyed hashes of settings files: without the key, no guess at what one holds can be tried.

A file with one short secret has few possible contents: a plain SHA-256 of it, in a plan that is
kept and shown, would give it away to whoever tries them all.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from rulezero_server import places

NAME, BYTES = "settings.key", 32


def mark(content: bytes) -> str:
    """HMAC-SHA-256 of a file's bytes, in hex, under this machine's own key.

    Raises:
        OSError: The key cannot be read or made.
    """
    return hmac.digest(_key(), b"file\0" + content, "sha256").hex()


def tail(path: str, key: str) -> str:
    """128 bits that nobody else can foretell, always the same for a file's path and key."""
    return hmac.digest(_key(), f"tail\0{path}\0{key}".encode(), "sha256").hex()[:32]


def _key() -> bytes:
    place = places.state_dir() / NAME
    if not place.exists():
        _make(place)
    found = places.private_file(place).read_bytes()
    if len(found) != BYTES:
        raise OSError(f"{NAME} is not the key that was written there")
    return found


def _make(place: Path) -> None:
    """Put it there whole: another process that looks sees all of it or nothing."""
    new = place.with_name(f"{NAME}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, places.FILE_MODE), "wb") as f:
        f.write(secrets.token_bytes(BYTES))
        f.flush()
        os.fsync(f.fileno())
    with contextlib.suppress(FileExistsError):
        # A link fails where another process was quicker; a rename would replace its key.
        os.link(new, place)
    new.unlink()
