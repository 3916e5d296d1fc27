"""What SQLite's own checks find after a rehearsal that they did not find before."""

import re
from collections.abc import Iterable, Iterator

_ORPHANS = re.compile(r"(?P<count>\d+) rows? (?P<what>of (?P<table>.+?) refer to .*)")
"""How orphans are told: how many, of which table, to which."""


def worse(before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    """The lines of `after` that are not in `before`, or are there with fewer rows."""
    found = tuple(before)
    known = {m["what"]: int(m["count"]) for line in found if (m := _ORPHANS.match(line))}
    for line in after:
        match = _ORPHANS.match(line)
        if line not in found and not (match and int(match["count"]) <= known.get(match["what"], 0)):
            yield line


def table_of(line: str) -> str:
    """The table that a line is about, as far as it says."""
    match = _ORPHANS.match(line)
    return match["table"] if match else "the database"
