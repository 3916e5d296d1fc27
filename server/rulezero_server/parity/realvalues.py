"""What a service's settings hold, for stand-ins to be made of: it goes to nobody else.

A file is read once more. What stands elsewhere (in a compose file, in a process) is known by its
shape alone, and something of that shape is as good: it would be replaced in any case.
"""

import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from rulezero_policies.parity.values import Entry, Layout, Source

Values = Callable[[str, str], Mapping[str, str]]
"""From a service's name and an environment to the values that it sets."""

_REFERENCE = re.compile(r"\$\{(?P<key>\w+)(?::-(?P<default>[^}]*))?\}")

_DEPTH = 5
"""Times that a value may lead to another."""

_DATABASE = re.compile(r"DATABASE|SQLALCHEMY|(?:^|_)DB_|POSTGRES|MYSQL|MARIADB|SQLITE", re.I)


def of(top: Path, layout: Layout) -> Values:
    """What gives the values of a layout.

    Args:
        top: The folder that its paths are under.
        layout: Which places set which keys, in the order in which they are read.
    """

    def values(service: str, environment: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for source in layout.sources:
            if source.environment == environment and source.service in {None, service}:
                found.update(_of_source(top, source))
        return {key: _resolved(value, found, _DEPTH) for key, value in found.items()}

    return values


def _of_source(top: Path, source: Source) -> Mapping[str, str]:
    """Only the keys that the layout knows: what it left out is not production's."""
    read: Mapping[str, str] = {}
    if source.kind == "file":
        read = _read(top / source.path)
    given = (entry for entry in source.entries if entry.given)
    return {entry.key: read.get(entry.key, _alike(entry)) for entry in given}


def _read(path: Path) -> Mapping[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    # The variables of this process are none of production's: nothing is filled in with them.
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    return {key: value for key, value in found.items() if value is not None}


def _alike(entry: Entry) -> str:
    """Something of an entry's shape, with what it means to a flag."""
    if entry.shape == "url":
        return "postgresql://stand-in" if _DATABASE.search(entry.key) else "https://stand-in"
    if entry.state != "other":
        return "true" if entry.state == "on" else "false"
    return {"empty": "", "number": "1"}.get(entry.shape, "stand-in-of-a-text")


def _resolved(value: str, known: Mapping[str, str], depth: int) -> str:
    if not depth or "${" not in value:
        return value

    def one(match: re.Match[str]) -> str:
        found = known.get(match["key"]) or match["default"] or ""
        return _resolved(found, known, depth - 1)

    return _REFERENCE.sub(one, value)
