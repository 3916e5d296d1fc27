"""The service audit: every key, held side by side across services and environments."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.parity.effective import Views, environments, keys
from rulezero_policies.parity.values import Entry, Layout, Shape

Cell = Literal["set", "empty", "placeholder", "absent", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One key in one environment: what each service sees of it.

    `cells` are in the order of the services. `equal` is whether all that see it see one value;
    None where fewer than two do.
    """

    key: str
    environment: str
    cells: tuple[tuple[str, Cell], ...]
    equal: bool | None


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A key with different values between services, in one environment.

    `services` are groups that see one value. `elsewhere` are other environments in which it
    differs as well, so that it may be meant.
    """

    key: str
    environment: str
    services: tuple[tuple[str, ...], ...]
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Override:
    """A key that the root sets, and a service sets otherwise for itself."""

    key: str
    environment: str
    service: str
    root: str
    own: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A key whose kind of value in production is not the one it has elsewhere."""

    key: str
    service: str
    shape: Shape
    elsewhere: tuple[tuple[str, Shape], ...]


def audit(found: Views, environment: str) -> tuple[Row, ...]:
    """Every key that a service sees in an environment."""
    names = [one.name for one in found.layout.services]
    seen = {name: found.of(name, environment) for name in names}
    return tuple(_row(found, key, environment, seen) for key in sorted(keys(seen.values())))


def _row(found: Views, key: str, environment: str, seen: dict[str, dict[str, Entry]]) -> Row:
    cells: list[tuple[str, Cell]] = [
        (name, _cell(found, name, environment, one.get(key))) for name, one in seen.items()
    ]
    marks = [one[key].mark for one in seen.values() if key in one]
    return Row(
        key=key,
        environment=environment,
        cells=tuple(cells),
        equal=len(set(marks)) == 1 if len(marks) > 1 else None,
    )


def _cell(found: Views, service: str, environment: str, entry: Entry | None) -> Cell:
    if entry is None:
        return "absent" if found.known(service, environment) else "unknown"
    if entry.shape == "placeholder":
        return "placeholder"
    return "empty" if entry.shape == "empty" else "set"


def conflicts(found: Views, reads: Callable[[str, str], bool]) -> Iterator[Conflict]:
    """Keys whose values differ between services; in an example they are nobody's.

    A service that has a key only because the root does counts where it reads the key.
    """
    at = {
        environment: _differing(found, environment, reads)
        for environment in environments(found.layout)
        if environment != EXAMPLE
    }
    for environment, keyed in at.items():
        for key, groups in keyed.items():
            elsewhere = tuple(one for one in at if one != environment and key in at[one])
            yield Conflict(key=key, environment=environment, services=groups, elsewhere=elsewhere)


EXAMPLE = "example"


def _differing(
    found: Views, environment: str, reads: Callable[[str, str], bool]
) -> dict[str, tuple[tuple[str, ...], ...]]:
    differing: dict[str, tuple[tuple[str, ...], ...]] = {}
    names = [one.name for one in found.layout.services]
    own = _own(found.layout, environment)
    for key in sorted(keys(found.of(name, environment) for name in names)):
        groups: dict[str, list[str]] = defaultdict(list)
        for name in names:
            entry = found.of(name, environment).get(key)
            if entry is not None and entry.given and ((name, key) in own or reads(name, key)):
                groups[entry.mark].append(name)
        if len(groups) > 1:
            differing[key] = tuple(tuple(group) for group in groups.values())
    return differing


def _own(layout: Layout, environment: str) -> frozenset[tuple[str, str]]:
    """What services set for themselves: (service, key)."""
    return frozenset(
        (source.service, entry.key)
        for source in layout.sources
        if source.environment == environment and source.service is not None
        for entry in source.entries
    )


def overrides(layout: Layout) -> Iterator[Override]:
    """Keys that a service sets otherwise than the root does, in every environment.

    What hands on the root's own value (`KEY: ${KEY:-default}`) is none.
    """
    root: dict[tuple[str, str], Entry] = {}
    for source in layout.sources:
        for entry in source.entries if source.service is None and source.kind == "file" else ():
            root[(source.environment, entry.key)] = entry
    for source in layout.sources:
        if source.service is None or source.environment == EXAMPLE:
            continue
        for entry in source.entries:
            above = root.get((source.environment, entry.key))
            if above is not None and _is_another(entry, above):
                yield Override(
                    key=entry.key,
                    environment=source.environment,
                    service=source.service,
                    root=f"{above.path}:{above.line}",
                    own=f"{entry.path}:{entry.line}",
                )


def _is_another(entry: Entry, above: Entry) -> bool:
    return entry.given and entry.key not in entry.refers and entry.mark != above.mark


def differences(found: Views) -> Iterator[Difference]:
    """Keys whose value in production is of another kind than in every other environment."""
    layout = found.layout
    others = [one for one in layout.baseline if one != layout.production]
    for service in layout.services:
        mine = found.of(service.name, layout.production)
        for key, entry in sorted(mine.items()):
            seen = [(one, found.of(service.name, one).get(key)) for one in others]
            shapes: list[tuple[str, Shape]] = [
                (one, other.shape) for one, other in seen if other is not None
            ]
            if _is_surprising(entry.shape, [shape for _, shape in shapes if shape in _TELLING]):
                yield Difference(
                    key=key, service=service.name, shape=entry.shape, elsewhere=tuple(shapes)
                )


_TELLING: tuple[Shape, ...] = ("boolean", "number", "url", "text", "lines")


def _is_surprising(shape: Shape, others: list[Shape]) -> bool:
    """A text may be anything; an address, a number or a truth is meant to stay one.

    1 and 0 are truths and numbers alike, and a host may be given as an address or by its name.
    """
    if shape not in _TELLING or len(set(others)) != 1:
        return False
    pair = {shape, others[0]}
    return len(pair) == 2 and pair in ({"boolean", "text"}, {"boolean", "url"}, {"number", "url"})
