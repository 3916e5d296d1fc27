"""Which of production's missing keys the code asks for: a switch shows itself by that."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .. import errors  # noqa: TID252 - the worker runs under another package name

_asked: list[str] = []
_lacked: set[str] = set()
_known: set[str] = set()


class _Environ(type(os.environ)):  # type: ignore[misc]
    """`os.environ`, which notes what it does not have."""

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            if key in _known and key not in _asked:
                _asked.append(key)
            if isinstance(key, str):
                _lacked.add(key)
            raise


def watch(known: Iterable[str]) -> None:
    """Note from now on who asks for one of these keys and does not get it."""
    _known.clear()
    _known.update(known)
    _asked.clear()
    _lacked.clear()
    os.environ.__class__ = _Environ


def missed(raised: BaseException | None) -> list[str]:
    """The keys that were asked for in vain, and those that an error names; their names alone."""
    asked, given = set(_asked), set(os.environ)
    return sorted(asked | _fatal(raised) | (_named(raised) - given))


def _fatal(raised: BaseException | None) -> set[str]:
    """A key of the environment, known or not, whose lack ended it."""
    links = () if raised is None else errors.chain(raised)
    lacks = (exc.args[0] for exc in links if isinstance(exc, KeyError) and exc.args)
    return {key for key in lacks if isinstance(key, str) and key in _lacked}


def blamed(raised: BaseException | None) -> list[str]:
    """The keys that are set, and that an error names all the same."""
    given = set(os.environ)
    return sorted(_named(raised) & given)


def _named(raised: BaseException | None) -> set[str]:
    links = () if raised is None else errors.chain(raised)
    words = {word.lower() for exc in links for word in _words(exc)}
    return {key for key in _known if key.lower() in words}


def _words(exc: BaseException) -> Iterator[str]:
    yield from re.findall(r"\w+", str(exc))
