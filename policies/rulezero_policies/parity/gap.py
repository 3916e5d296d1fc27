"""The gap between what production sets, what the code needs, and what other environments set."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rulezero_policies.parity import audit as side_by_side
from rulezero_policies.parity import matching
from rulezero_policies.parity.audit import Conflict, Difference, Override, Row
from rulezero_policies.parity.effective import Views, read_by, views
from rulezero_policies.parity.known_keys import is_given, is_of_a_tool
from rulezero_policies.parity.values import Entry, Layout, Need, Shape, Source, State

_DOCUMENTED = ("example", "staging")
"""Environments whose keys production should have even where the code was not seen to read them."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A key that an environment lacks.

    `service` is "" where only the root is meant. `needed_by` are places in the code ("path:line")
    and environments that have it. `required` is whether the code fails without it; `default`, what
    it would mean to a flag meanwhile; `read`, whether anything was found that reads or names it.
    """

    service: str
    environment: str
    key: str
    needed_by: tuple[str, ...]
    required: bool = False
    default: State | None = None
    read: bool = True


@dataclass(frozen=True, kw_only=True)
class Hollow:
    """A key that is there with no value, or with one that only holds its place."""

    service: str
    environment: str
    key: str
    path: str
    line: int
    shape: Shape
    needed_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unused:
    """A key that production sets, and nothing was found to use; "" is the root.

    `certain` is whether all names of keys that the code reads are known; else one that is only made
    up while it runs may be this one.
    """

    service: str
    environment: str
    key: str
    path: str
    line: int
    certain: bool = True


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A key that one file sets more than once; `conflicting`: not always to the same value."""

    service: str
    environment: str
    key: str
    path: str
    lines: tuple[int, ...]
    conflicting: bool


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A service whose settings in an environment are not all known, and why."""

    service: str
    environment: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Everything that the comparison of settings shows; names and places only."""

    missing: tuple[Missing, ...] = ()
    hollow: tuple[Hollow, ...] = ()
    unused: tuple[Unused, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    overrides: tuple[Override, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    differences: tuple[Difference, ...] = ()
    audit: tuple[Row, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def gap(layout: Layout, needs: Sequence[Need]) -> Gap:
    """What stands between production and the rest.

    Args:
        layout: What every environment sets.
        needs: What the code reads; what the layout itself asks for is added.
    """
    asked = (*needs, *layout.needs)
    found = views(layout)
    by_service = matching.by_service(asked)

    def reads(service: str, key: str) -> bool:
        return any(matching.reads(need, key) for need in by_service[service])

    return Gap(
        missing=tuple(_missing(found, asked)),
        hollow=tuple(_hollow(found, asked)),
        unused=tuple(_unused(found, asked)),
        conflicts=tuple(side_by_side.conflicts(found, reads)),
        overrides=tuple(side_by_side.overrides(layout)),
        duplicates=tuple(_duplicates(layout)),
        differences=tuple(side_by_side.differences(found)),
        audit=side_by_side.audit(found, layout.production),
        unknown=tuple(_unknown(found, asked)),
    )


def _missing(found: Views, asked: Sequence[Need]) -> Iterator[Missing]:
    layout = found.layout
    by_service = matching.by_service(asked)
    wanted = _baseline(found, by_service)
    for need in asked:
        if _is_blank_without(need) or _fails_without(found, need, by_service[need.service]):
            wanted.setdefault((need.service, need.key), [])
    for (service, key), told in sorted(wanted.items()):
        mine = [need for need in by_service[service] if matching.reads(need, key)]
        known = found.known(service, layout.production)
        if known and not is_given(key) and not _has(found, service, key, by_service):
            yield Missing(
                service=service,
                environment=layout.production,
                key=key,
                needed_by=(*matching.places(mine), *told),
                required=any(_fails_without(found, one, by_service[service]) for one in mine),
                default=next((need.default for need in mine if need.default), None),
                read=bool(mine) or _is_used(layout, service or None, key, asked),
            )


def _fails_without(found: Views, need: Need, beside: Iterable[Need]) -> bool:
    """Whether production comes to the place, and then has nothing to go on with.

    A place under another key is reached where that key is there and not off, or stands for itself.
    """
    if not need.required or matching.is_pattern(need):
        return False
    seen = found.of(need.service, found.layout.production)
    if any(key in seen for key in need.instead):
        return False
    return all(_is_on(seen.get(key), key, beside) for key in need.under)


def _is_blank_without(need: Need) -> bool:
    """Compose warns, fills in nothing, and goes on."""
    return need.how == COMPOSE and need.default is None


COMPOSE = "compose"
"""How a compose file that counts for production asks for a key."""


def _is_on(entry: Entry | None, key: str, asked: Iterable[Need]) -> bool:
    if entry is not None:
        return entry.state != "off"
    return any(one.default in ("on", "other") for one in asked if one.key == key)


def _baseline(
    found: Views, asked: defaultdict[str, list[Need]]
) -> dict[tuple[str, str], list[str]]:
    """(service, key) that other environments have: each for those services that read the key."""
    wanted: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for source in found.layout.sources:
        if source.environment not in found.layout.baseline:
            continue
        for entry in source.entries:
            for service in _concerned(found.layout, source, entry.key, asked):
                wanted[(service, entry.key)][source.environment] = None
    return {what: list(told) for what, told in wanted.items()}


def _concerned(
    layout: Layout, source: Source, key: str, asked: defaultdict[str, list[Need]]
) -> list[str]:
    reading = [
        name for name, needs in asked.items() if any(matching.reads(one, key) for one in needs)
    ]
    documented = source.environment in _DOCUMENTED
    if source.service is not None:
        return [source.service] if documented or source.service in reading else []
    mine = [one.name for one in layout.services if one.name in reading]
    return mine or ([""] if documented or reading else [])


def _has(found: Views, service: str, key: str, asked: defaultdict[str, list[Need]]) -> bool:
    """Whether production sets a key where it counts.

    What the root's example lists may be set for one service alone, unless it is the root that fails
    without it; and of services that share one folder, it is not known which of them comes to the
    place that reads a key.
    """
    environment = found.layout.production
    if {(service, key), ("", key)} & set(found.layout.built):
        return True
    if matching.lookup(found.of(service, environment), key, asked[service]) is not None:
        return True
    if not service and any(one.required and one.key == key for one in asked[""]):
        return False
    return any(
        not found.known(name, environment)
        or matching.lookup(found.of(name, environment), key, asked[name]) is not None
        for name in _beside(found.layout, service)
    )


def _beside(layout: Layout, service: str) -> list[str]:
    """The services that run the same code; for the root, all of them."""
    folders = {one.name: one.folder for one in layout.services}
    if service not in folders:
        return list(folders)
    return [one for one in folders if one != service and folders[one] == folders[service]]


def _hollow(found: Views, asked: Sequence[Need]) -> Iterator[Hollow]:
    """A placeholder is told wherever it stands; an empty value only where the code needs one."""
    by_service = matching.by_service(asked)
    told: set[tuple[str, int]] = set()
    for service in found.layout.services:
        for entry in found.of(service.name, found.layout.production).values():
            mine = [one for one in by_service[service.name] if matching.reads(one, entry.key)]
            if mine and _is_hollow(entry, mine):
                told.add((entry.path, entry.line))
                yield _as_hollow(found.layout, service.name, entry, mine)
    for name in (None, *(one.name for one in found.layout.services)):
        for entry in found.of(name, found.layout.production).values():
            if entry.shape == "placeholder" and (entry.path, entry.line) not in told:
                told.add((entry.path, entry.line))
                yield _as_hollow(found.layout, name or "", entry, ())


def _is_hollow(entry: Entry, mine: Iterable[Need]) -> bool:
    if entry.shape == "placeholder":
        return True
    return entry.given and entry.shape == "empty" and any(one.required for one in mine)


def _as_hollow(layout: Layout, service: str, entry: Entry, mine: Iterable[Need]) -> Hollow:
    return Hollow(
        service=service,
        environment=layout.production,
        key=entry.key,
        path=entry.path,
        line=entry.line,
        shape=entry.shape,
        needed_by=tuple(matching.places(mine)),
    )


def _unused(found: Views, asked: Sequence[Need]) -> Iterator[Unused]:
    layout = found.layout
    referred = {key for one in layout.sources for entry in one.entries for key in entry.refers}
    for source in layout.sources:
        if source.environment != layout.production or source.kind == "process":
            continue
        for entry in {one.key: one for one in source.entries}.values():
            skip = source.path in layout.foreign or entry.key in referred
            if not skip and not _is_used(layout, source.service, entry.key, asked):
                yield Unused(
                    service=source.service or "",
                    environment=source.environment,
                    key=entry.key,
                    path=entry.path,
                    line=entry.line,
                    certain=not any(_reads_anything(one, entry.key) for one in asked),
                )


def _reads_anything(need: Need, key: str) -> bool:
    return matching.may_read(need, key) and not matching.reads(need, key)


def _is_used(layout: Layout, service: str | None, key: str, asked: Sequence[Need]) -> bool:
    if is_of_a_tool(key):
        return True
    named = [(None if service is None else one, name) for one, name in layout.mentions]
    if (service, key) in named or ("", key) in layout.mentions:
        return True
    mine = (one for one in asked if service is None or _may_be(layout, one.service, service))
    return any(matching.reads(one, key) for one in mine)


def _may_be(layout: Layout, reader: str, service: str) -> bool:
    """Whether what reads a key can be this service: itself, or something that is none of ours."""
    return reader == service or all(one.name != reader for one in layout.services)


def _duplicates(layout: Layout) -> Iterator[Duplicate]:
    seen: set[tuple[str, str]] = set()
    for source in layout.sources:
        counted = Counter(entry.key for entry in source.entries)
        for key in (key for key, count in counted.items() if count > 1):
            if (source.path, key) in seen or source.kind != "file":
                continue
            seen.add((source.path, key))
            mine = [entry for entry in source.entries if entry.key == key]
            yield Duplicate(
                service=source.service or "",
                environment=source.environment,
                key=key,
                path=source.path,
                lines=tuple(entry.line for entry in mine),
                conflicting=len({entry.mark for entry in mine}) > 1,
            )


def _unknown(found: Views, asked: Sequence[Need]) -> Iterator[Unknown]:
    """What could not be looked at, where it matters: a service that has no keys lacks none."""
    layout = found.layout
    with_keys = {one.service for one in (*asked, *layout.sources)}
    for environment in dict.fromkeys((layout.production, *layout.baseline)):
        for service in (one.name for one in layout.services):
            yield from _why(found, service, environment, needs=service in with_keys)


def _why(found: Views, service: str, environment: str, *, needs: bool) -> Iterator[Unknown]:
    mine = read_by(found.layout, service, environment)
    for source in mine:
        if source.error is not None:
            why = f"{source.path} {source.error}"
            yield Unknown(service=service, environment=environment, why=why)
    if needs and not mine and environment == found.layout.production:
        why = (
            f"no file was found that sets its keys; say which one does: "
            f'[parity.services.{service}.files] {environment} = "PATH"'
        )
        yield Unknown(service=service, environment=environment, why=why)
