"""Opening every place, in order, and telling of each key what may be told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rulezero_policies.parity.values import Source
from rulezero_server.parity import envfiles
from rulezero_server.parity.assigned import Assigned
from rulezero_server.parity.compose import ComposeService
from rulezero_server.parity.interpolation import asked, resolve
from rulezero_server.parity.marks import entry
from rulezero_server.parity.places import Place
from rulezero_server.parity.reading import MISSING, Grounds

_SHOWN = 5
"""Broken lines that a problem names."""


@dataclass(kw_only=True)
class Gathered:
    """Sources, and what was wrong with them."""

    sources: list[Source] = field(default_factory=list[Source])
    problems: list[str] = field(default_factory=list[str])


def gather(places: Iterable[Place], grounds: Grounds) -> Gathered:
    """Every place as a source. Values live in here alone, for `${KEY}` to mean something."""
    gathered = Gathered()
    known: dict[tuple[str | None, str], dict[str, str]] = {}
    for place in places:
        root = known.get((None, place.environment), {})
        own = known.setdefault((place.service, place.environment), {})
        read = _read(place, grounds, {**root, **own})
        own.update(envfiles.values(read.found))
        gathered.sources.append(_source(place, read))
        gathered.problems.extend(_problems(place, read))
    gathered.problems = list(dict.fromkeys(gathered.problems))
    return gathered


def _read(place: Place, grounds: Grounds, known: Mapping[str, str]) -> envfiles.Read:
    if place.error is not None:
        return envfiles.Read(path=grounds.name(place.path), error=place.error)
    if place.within is not None:
        found = tuple(_composed(place.within, known))
        path = grounds.name(place.path)
        return envfiles.Read(path=path, found=found, broken=place.within.broken)
    read = envfiles.read(place.path, grounds, known)
    if read.error == MISSING and _is_to_come(place, grounds):
        return replace(read, error=None)
    return read


def _is_to_come(place: Place, grounds: Grounds) -> bool:
    """Whether it is the root file that a plan would make: it is declared before there is one."""
    inside = place.path.is_relative_to(grounds.root)
    return place.declared and place.service is None and inside


def _composed(service: ComposeService, known: Mapping[str, str]) -> Iterable[Assigned]:
    """`environment:` of a compose file; a key without a value has the value of the host's."""
    for one in service.settings:
        raw = f"${{{one.key}}}" if one.raw is None else one.raw
        value = resolve(raw, known)
        handed = one.raw is None and bool(value.open)
        yield Assigned(
            key=one.key,
            line=one.line,
            raw=raw,
            value=None if handed else value.value,
            refers=tuple(dict.fromkeys(found.key for found in asked(raw))),
            open=value.open,
        )


def _source(place: Place, read: envfiles.Read) -> Source:
    return Source(
        service=place.service,
        environment=place.environment,
        path=read.path,
        kind="file" if place.within is None else "compose",
        entries=tuple(entry(one, read.path) for one in read.found),
        error=read.error,
    )


def _problems(place: Place, read: envfiles.Read) -> Iterable[str]:
    if read.error is not None and _blocks(place, read.error):
        yield f"{read.path} {read.error}."
    if read.broken:
        shown = ", ".join(str(line) for line in read.broken[:_SHOWN])
        more = len(read.broken) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        yield (
            f"{read.path}: what stands on line {shown}{rest} is neither a setting nor a comment, "
            "and python-dotenv passes over it; quote a value of several lines, or remove the line."
        )


def _blocks(place: Place, error: str) -> bool:
    """A file that is kept out of the repository may be missing; a declared one may not."""
    return place.declared or place.error is not None or error != MISSING


def process(values: Mapping[str, str], environment: str) -> Source:
    """The environment of a running check: read last, so that it wins."""
    path = "the environment of this process"
    found = [Assigned(key=key, line=0, raw=value, value=value) for key, value in values.items()]
    return Source(
        service=None,
        environment=environment,
        path=path,
        kind="process",
        entries=tuple(entry(replace(one), path) for one in found),
    )
