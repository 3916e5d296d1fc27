"""Which place in the code reads which key."""

from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase

from rulezero_policies.parity.values import Entry, Need

_PLACES = 5
"""Places in the code that are named for one key."""


def by_service(asked: Iterable[Need]) -> defaultdict[str, list[Need]]:
    """What each service asks for."""
    found: defaultdict[str, list[Need]] = defaultdict(list)
    for need in asked:
        found[need.service].append(need)
    return found


def lookup(seen: dict[str, Entry], key: str, asked: Iterable[Need]) -> Entry | None:
    """A key as a service sees it; some libraries take it in any case."""
    if key in seen:
        return seen[key]
    if any(need.any_case and reads(need, key) for need in asked):
        return next((one for name, one in seen.items() if name.lower() == key.lower()), None)
    return None


def is_pattern(need: Need) -> bool:
    """Whether only a part of its key is known."""
    return "*" in need.key


def reads(need: Need, key: str) -> bool:
    """Whether this is a place that reads the key; one that reads any key is none for this one."""
    tells = not is_pattern(need) or len(need.key.strip("*_")) >= _TELLING
    return tells and may_read(need, key)


_TELLING = 2
"""Letters that a pattern has to have, to say something of the key."""


def may_read(need: Need, key: str) -> bool:
    """Whether the key may be one that is read here."""
    if need.any_case:
        return fnmatchcase(key.lower(), need.key.lower())
    return fnmatchcase(key, need.key) if is_pattern(need) else need.key == key


def places(needs: Iterable[Need]) -> list[str]:
    """Where a key is needed, what fails without it first."""
    ordered = sorted(needs, key=lambda one: not one.required)
    return list(dict.fromkeys(f"{one.path}:{one.line}" for one in ordered))[:_PLACES]
