"""Settings files as bytes: only plain files, of a bounded size, inside what may be read."""

import codecs
import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

MOST_BYTES = 1_000_000
"""Of one file: settings that people keep are a few thousand bytes."""


MISSING = "does not exist"
_FOLDER = "is a folder: name a file in it"
_NO_FILE = "is no plain file: name one that is"


class Unreadable(Exception):
    """Why a file was not read, in words that repeat nothing of it. It stays in this package."""


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """Where settings may be read: the project, and the folders that the user names besides."""

    root: Path
    besides: tuple[Path, ...] = ()

    def name(self, path: Path) -> str:
        """What results call a file: its path under the project, else its whole path."""
        full = Path(os.path.normpath(path))
        base = Path(os.path.normpath(self.root))
        return full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()

    def holds(self, path: Path) -> bool:
        """Whether a path with every link followed is still inside."""
        return any(path.is_relative_to(one) for one in self._resolved)

    @cached_property
    def _resolved(self) -> tuple[Path, ...]:
        return tuple(real(one) for one in (self.root, *self.besides))


def real(path: Path) -> Path:
    """A path with its links followed; `Path.resolve` raises where they lead round in a circle."""
    return Path(os.path.realpath(path))


@dataclass(frozen=True, kw_only=True)
class Text:
    """The text of one file. It holds secrets: it is neither shown nor passed on."""

    path: str
    text: str = field(repr=False)


def text(path: Path, grounds: Grounds, most: int = MOST_BYTES) -> Text:
    """What a file says, a byte order mark left out.

    Raises:
        Unreadable: It is no text file of that size inside the grounds.
    """
    return Text(path=grounds.name(path), text=_decoded(_bytes(_followed(path, grounds), most)))


def _followed(path: Path, grounds: Grounds) -> Path:
    try:
        real = path.resolve(strict=True)
    except FileNotFoundError as error:
        raise Unreadable(MISSING) from error
    except (OSError, RuntimeError) as error:
        raise Unreadable("is a link that leads round in a circle: mend the link") from error
    if not grounds.holds(real):
        raise Unreadable(
            "leads out of the project; a folder elsewhere may be read once your own policy.toml "
            "names it: [reading] settings"
        )
    return real


def _bytes(path: Path, most: int) -> bytes:
    try:
        # A pipe in a file's place would keep a plain open waiting for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except IsADirectoryError as error:
        raise Unreadable(_FOLDER) from error
    except OSError as error:
        name = type(error).__name__
        raise Unreadable(f"cannot be opened ({name}): let this user read it") from error
    try:
        _check_plain(os.fstat(handle).st_mode)
        with os.fdopen(handle, "rb", closefd=False) as file:
            found = file.read(most + 1)
    finally:
        os.close(handle)
    if len(found) > most:
        raise Unreadable(f"is larger than {most // 1000} kB: name the file that is meant")
    return found


_BINARY: int = getattr(os, "O_BINARY", 0)


def _check_plain(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise Unreadable(_FOLDER if stat.S_ISDIR(mode) else _NO_FILE)


def _decoded(found: bytes) -> str:
    if found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable("is UTF-16, which python-dotenv does not read: save it as UTF-8")
    if b"\0" in found:
        raise Unreadable("is binary, not text: name the file that is meant")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        # The error itself carries the bytes.
        raise Unreadable(f"is not UTF-8 (line {line}): save it as UTF-8") from None
