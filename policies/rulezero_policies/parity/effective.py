"""What a service sees of its settings in one environment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rulezero_policies.parity.values import Entry, Layout, Source


def read_by(layout: Layout, service: str | None, environment: str) -> tuple[Source, ...]:
    """The sources of a service, those of the root first; for None, those of the root alone."""
    here = [one for one in layout.sources if one.environment == environment]
    root = [one for one in here if one.service is None]
    own = [one for one in here if service is not None and one.service == service]
    # The process's own environment wins over what files say.
    return tuple(sorted((*root, *own), key=lambda one: one.kind == "process"))


def effective(layout: Layout, service: str | None, environment: str) -> dict[str, Entry]:
    """Every key that a service sees, as the source that is read last sets it."""
    found: dict[str, Entry] = {}
    for source in read_by(layout, service, environment):
        for entry in source.entries:
            # A key without a value asks for the one that is there already.
            if entry.given or entry.key not in found:
                found[entry.key] = entry
    return found


def is_known(layout: Layout, service: str | None, environment: str) -> bool:
    """Whether anything was read for a service, and all of it could be."""
    sources = read_by(layout, service, environment)
    return bool(sources) and not any(one.error for one in sources)


def environments(layout: Layout) -> tuple[str, ...]:
    """Production, what it is held against, and every other one that was found."""
    named = (layout.production, *layout.baseline, *(one.environment for one in layout.sources))
    return tuple(dict.fromkeys(named))


@dataclass(frozen=True, kw_only=True)
class Views:
    """What every service sees, worked out once. `None` is what the root alone gives."""

    layout: Layout
    seen: dict[tuple[str | None, str], dict[str, Entry]]

    def of(self, service: str | None, environment: str) -> dict[str, Entry]:
        """What a service sees; one that is not ours sees what the root gives."""
        return self.seen.get((service, environment), self.seen.get((None, environment), {}))

    def known(self, service: str | None, environment: str) -> bool:
        """Whether that is all that it sees."""
        return is_known(self.layout, service, environment)


def views(layout: Layout) -> Views:
    """What every service sees in every environment."""
    return Views(
        layout=layout,
        seen={
            (service, environment): effective(layout, service, environment)
            for service in (None, *(one.name for one in layout.services))
            for environment in environments(layout)
        },
    )


def keys(found: Iterable[dict[str, Entry]]) -> Iterator[str]:
    """Every key of several views, once."""
    yield from dict.fromkeys(key for one in found for key in one)
