"""Which keys of the services can stand in one root file, so that no service sees another value."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rulezero_policies.parity.changes import FileChange, Operation
from rulezero_policies.parity.loading import Load
from rulezero_policies.parity.values import Entry, Layout, Need, Source


@dataclass(frozen=True, kw_only=True)
class ComposeService:
    """A service of a compose file, by what it reads: paths under the project.

    `editable` is whether another file can be put first by line; `interpolated` are the keys that
    the compose file takes from a `.env` beside it.
    """

    path: str
    service: str
    files: tuple[str, ...]
    editable: bool
    interpolated: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A key with one value in several services; `moves` is whether the plan can move it.

    `reason` says why it stays where it is for now.
    """

    key: str
    services: tuple[str, ...]
    moves: bool = True
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A key that stays with its service, and why."""

    service: str
    key: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A key that services set to different values: a person says which is right, if any."""

    key: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Consolidation:
    """What goes to the file `root`, what stays, and what a person has to decide or to do."""

    root: str
    shared: tuple[Shared, ...] = ()
    kept: tuple[Kept, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    changes: tuple[FileChange, ...] = ()
    readers: tuple[str, ...] = ()
    """The services that are known to read the root file afterwards."""


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """A key as one service sets it in production: every place, the last one counts."""

    service: str
    places: tuple[tuple[Source, Entry], ...]

    @property
    def last(self) -> Entry:
        return self.places[-1][1]

    @property
    def source(self) -> Source:
        return self.places[-1][0]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What besides the layout decides.

    `declared` are root files that a person says every service reads. `needs` are keys that services
    read or are to have; one that is without a key does not get it from others, unless that key is
    among the `asked`. `loads` are places where code reads settings files by itself.
    """

    compose: tuple[ComposeService, ...] = ()
    declared: frozenset[str] = frozenset()
    needs: tuple[Need, ...] = ()
    asked: frozenset[str] = frozenset()
    loads: tuple[Load, ...] = ()


def consolidate(layout: Layout, terms: Terms | None = None) -> Consolidation:
    """Shared and equal keys of production to the root, wherever that changes nothing for anybody.

    Args:
        layout: What every service sets.
        terms: What decides besides.
    """
    case = _Case(layout=layout, terms=terms or Terms())
    shared: list[Shared] = []
    kept: list[Kept] = []
    conflicts: list[Conflict] = []
    for key, settings in sorted(case.settings.items()):
        services = tuple(s.service for s in settings)
        if len({s.last.mark for s in settings}) > 1 or case.root_differs(key, settings):
            conflicts.append(Conflict(key=key, services=services))
            kept += (Kept(service=s, key=key, reason="services disagree") for s in services)
        elif len(settings) == 1 and not case.in_root(key):
            reason = "no other service sets it"
            kept.append(Kept(service=services[0], key=key, reason=reason))
        else:
            why = case.obstacle(key, settings)
            shared.append(Shared(key=key, services=services, moves=why is None, reason=why))
    moving = tuple(s.key for s in shared if s.moves)
    return Consolidation(
        root=case.root,
        shared=tuple(shared),
        kept=tuple(kept),
        conflicts=tuple(conflicts),
        changes=tuple(case.changes(moving)),
        readers=tuple(case.readers(moving)),
    )


@dataclass(frozen=True, kw_only=True)
class _Case:
    """The layout's production, as it is asked about."""

    layout: Layout
    terms: Terms
    sources: tuple[Source, ...] = field(init=False)
    settings: dict[str, list[_Setting]] = field(init=False)
    root: str = field(init=False)

    def __post_init__(self) -> None:
        production = self.layout.production
        sources = tuple(s for s in self.layout.sources if s.environment == production)
        object.__setattr__(self, "sources", sources)
        object.__setattr__(self, "settings", _settings(sources))
        object.__setattr__(self, "root", root_of(sources, production, self.terms.declared))

    @property
    def roots(self) -> tuple[Source, ...]:
        return tuple(s for s in self.sources if s.service is None and s.kind == "file")

    @property
    def read_by_all(self) -> bool:
        """Whether every service reads the root file as it is."""
        return bool(self.roots) or self.root in self.terms.declared

    def in_root(self, key: str) -> bool:
        return any(e.key == key for s in self.roots for e in s.entries)

    def root_differs(self, key: str, settings: Sequence[_Setting]) -> bool:
        marks = {e.mark for s in self.roots for e in s.entries if e.key == key}
        return bool(marks - {s.last.mark for s in settings})

    def obstacle(self, key: str, settings: Sequence[_Setting]) -> str | None:
        """Why moving `key` might change what a service sees; None where it cannot."""
        return (
            next((why for s in settings if (why := _own_obstacle(key, s))), None)
            or self._interpolated(key)
            or self._gained(key, settings)
            or next((why for s in settings if (why := self._unread(s))), None)
        )

    def _interpolated(self, key: str) -> str | None:
        beside = (c for c in self.terms.compose if self.root == _beside(c.path))
        found = next((c.path for c in beside if key in c.interpolated), None)
        return f"{found} puts it into itself from {self.root}" if found else None

    def _gained(self, key: str, settings: Sequence[_Setting]) -> str | None:
        if key in self.terms.asked and self.read_by_all:
            return None
        having = {s.service for s in settings}
        reading = {n.service for n in self.terms.needs if n.key == key} - having
        gaining = sorted(
            name for name in reading if not self.in_root(key) and self._sees_root(name)
        )
        return f"{gaining[0]} reads it and is without it now" if gaining else None

    def _sees_root(self, service: str) -> bool:
        if self.read_by_all:
            return True
        own = {s.path for s in self.sources if s.service == service}
        gaining = {self.root, *self._leaving()}
        return any(own & set(c.files) and gaining & set(c.files) for c in self.terms.compose)

    def _leaving(self) -> Iterable[str]:
        """The files that something may leave: who reads one of them, is to read the root file."""
        for settings in self.settings.values():
            if len(settings) > 1 and len({s.last.mark for s in settings}) == 1:
                yield from (s.source.path for s in settings)

    def _unread(self, setting: _Setting) -> str | None:
        """Why it is not known that a service reads the root file."""
        uses = [c for c in self.terms.compose if setting.source.path in c.files]
        stuck = next((c for c in uses if self.root not in c.files and not c.editable), None)
        if stuck:
            return f"the env_file of {stuck.service} in {stuck.path} is for a person"
        if uses or self.root in self.terms.declared:
            return None
        own = next((one for one in self.terms.loads if one.service == setting.service), None)
        if self.roots and own is None:
            return None
        told = f"{own.call} at {own.place} may read other files" if own else "nothing says so"
        return (
            f"that {setting.service} reads {self.root} is not known ({told}): have it do so, and "
            "declare that file under [parity.files]"
        )

    def readers(self, keys: Sequence[str]) -> Iterable[str]:
        """The services that read the root file once `keys` have moved."""
        touched = {s.source.path for key in keys for s in self.settings[key]}
        for service in self.layout.services:
            own = {s.path for s in self.sources if s.service == service.name}
            uses = [c for c in self.terms.compose if own & set(c.files)]
            listed = any(self.root in c.files or touched & set(c.files) for c in uses)
            if self.read_by_all or listed:
                yield service.name

    def changes(self, keys: Sequence[str]) -> Iterable[FileChange]:
        """The edits that move `keys`."""
        if not keys:
            return
        arriving = tuple(
            Operation(kind="move", key=key, source=path, like=path)
            for key in keys
            if not self.in_root(key)
            for path in (self.settings[key][0].source.path,)
        )
        if arriving:
            yield FileChange(path=self.root, operations=arriving)
        leaving: dict[str, dict[str, None]] = {}
        for key in keys:
            for setting in self.settings[key]:
                leaving.setdefault(setting.source.path, {})[key] = None
        for path, gone in sorted(leaving.items()):
            operations = (Operation(kind="remove", key=key, source=self.root) for key in gone)
            yield FileChange(path=path, operations=tuple(operations))
        yield from self._references(set(leaving))

    def _references(self, touched: set[str]) -> Iterable[FileChange]:
        by_path: dict[str, list[Operation]] = {}
        for use in self.terms.compose:
            if touched & set(use.files) and self.root not in use.files and use.editable:
                operation = Operation(kind="env_file", source=self.root, service=use.service)
                by_path.setdefault(use.path, []).append(operation)
        for path, operations in sorted(by_path.items()):
            yield FileChange(path=path, operations=tuple(operations))


def _beside(path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), ".env"))


def _settings(sources: Sequence[Source]) -> dict[str, list[_Setting]]:
    found: dict[str, dict[str, list[tuple[Source, Entry]]]] = {}
    for source in sources:
        if source.service is None:
            continue
        for entry in source.entries:
            found.setdefault(entry.key, {}).setdefault(source.service, []).append((source, entry))
    return {
        key: [_Setting(service=name, places=tuple(places)) for name, places in services.items()]
        for key, services in found.items()
    }


def root_of(sources: Sequence[Source], production: str, declared: frozenset[str]) -> str:
    """The root file: the one there is or that is declared, else named as the services' files."""
    roots = [s.path for s in sources if s.service is None and s.kind == "file"]
    if roots or declared:
        return roots[-1] if roots else min(declared)
    names = {posixpath.basename(s.path) for s in sources if s.kind == "file"}
    return names.pop() if len(names) == 1 else f".env.{production}"


def _own_obstacle(key: str, setting: _Setting) -> str | None:
    """Why the line itself cannot stand in another file and mean the same."""
    name, entry, source = setting.service, setting.last, setting.source
    if len(setting.places) > 1:
        return f"{name} sets it in more than one place"
    if source.kind != "file":
        return f"{name} has it from {source.path}, which is no settings file"
    if not entry.given:
        return f"{name} names it without a value"
    if entry.refers:
        return f"its value refers to {entry.refers[0]}"
    referring = next((e.key for e in source.entries if key in e.refers), None)
    return f"{referring} of {name} refers to it" if referring else None
