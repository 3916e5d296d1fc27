"""A key and what a place gives it: the value itself, which never leaves this package."""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,127}")
_BARE = re.compile(r"[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One key as one place sets it.

    `raw` is the value before interpolation, `value` after it; None where the place gives none.
    `refers` are the keys that it interpolates, `open` those of them that had neither value nor
    default.
    """

    key: str
    line: int
    value: str | None = field(repr=False)
    raw: str = field(default="", repr=False)
    refers: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


def is_name(key: str, *, bare: bool = False) -> bool:
    """Whether this can be the name of a key.

    A line of a private key that was pasted without quotes reads like a key; what is printed must
    not be a piece of it. `bare` is a key without an equals sign, where that is likeliest.
    """
    return bool((_BARE if bare else _NAME).fullmatch(key)) and (not bare or len(key) <= 64)
