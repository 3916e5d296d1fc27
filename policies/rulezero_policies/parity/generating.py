"""Which missing keys get a line in production's files, and what is in it: never a guessed value."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from rulezero_policies.parity.changes import FileChange, Operation, OperationKind
from rulezero_policies.parity.consolidation import root_of
from rulezero_policies.parity.values import Entry, FlagRule, Layout, Need, Source

EXAMPLE = "example"
"""The environment whose files are committed for everybody to read."""

_SECRET = re.compile(
    r"SECRET|TOKEN|PASS|PWD|KEY|CRED|PRIVATE|AUTH|SALT|DSN|SIGN|CERT|JWT|HASH|PIN\b|COOKIE|WEBHOOK",
    re.IGNORECASE,
)
_OUTSIDE = frozenset({"compose", "shell"})
"""What is asked for by compose or by a script, before any service has read its files."""

_PLAIN_SHAPES = frozenset({"boolean", "number", "text"})


@dataclass(frozen=True, kw_only=True)
class Left:
    """A missing key that gets no line, and why."""

    key: str
    service: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Generated:
    """The edits that add missing keys and switch flags on, and what is left to a person."""

    changes: tuple[FileChange, ...] = ()
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for: these missing keys (None: all of them), these flags on.

    `missing` are pairs of a service ("" for the root) and a key that production lacks, where that
    was worked out before; `covered` are keys that come from elsewhere.
    """

    keys: tuple[str, ...] | None = None
    enable: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] | None = None
    covered: frozenset[str] = frozenset()


def looks_secret(key: str) -> bool:
    """Whether a key's name says that its value is nobody else's business; rather too often."""
    return _SECRET.search(key) is not None


def is_flag(key: str, rule: FlagRule) -> bool:
    """Whether a key is a flag by its name."""
    return key in rule.names or any(fnmatchcase(key, pattern) for pattern in rule.patterns)


def generate(layout: Layout, needs: Sequence[Need], flags: FlagRule, wish: Wish) -> Generated:
    """Lines for what production lacks.

    A plain word or number of a committed example is taken over; everything else gets a placeholder.
    A flag is switched on where that is asked for, and never otherwise.
    """
    case = _Case(layout, needs, flags)
    found: list[tuple[str, Operation]] = []
    left: list[Left] = []
    for service, key in case.missing() if wish.missing is None else wish.missing:
        wanted = wish.keys is None or key in wish.keys
        if not wanted or key in wish.enable or key in wish.covered:
            continue
        reason = case.hindrance(service, key)
        if reason is None:
            found.append((case.file(service, key), case.operation(service, key)))
        else:
            left.append(Left(key=key, service=service, reason=reason))
    for key in dict.fromkeys(wish.enable):
        for item in case.switched(key):
            left.append(item) if isinstance(item, Left) else found.append(item)
    return Generated(changes=tuple(_by_file(found)), left=tuple(left))


def _by_file(found: Iterable[tuple[str, Operation]]) -> Iterator[FileChange]:
    files: dict[str, dict[str | None, Operation]] = {}
    for path, operation in found:
        files.setdefault(path, {}).setdefault(operation.key, operation)
    for path, operations in sorted(files.items()):
        yield FileChange(path=path, operations=tuple(operations.values()))


class _Case:
    """The layout as it is asked about."""

    def __init__(self, layout: Layout, needs: Sequence[Need], flags: FlagRule) -> None:
        self._layout = layout
        self._needs = needs
        self._flags = flags
        self._production = [s for s in layout.sources if s.environment == layout.production]
        self._examples = [s for s in layout.sources if s.environment == EXAMPLE]

    def missing(self) -> Iterator[tuple[str, str]]:
        """Each service with a key that production lacks for it, in the order of its example."""
        for service in self._layout.services:
            there = {e.key for s in self._of(service.name, self._production) for e in s.entries}
            baseline = (s for s in self._layout.sources if s.environment in self._layout.baseline)
            known = [e.key for s in self._of(service.name, baseline) for e in s.entries]
            read = [n.key for n in self._needs if n.service == service.name and n.required]
            for key in dict.fromkeys((*known, *read)):
                if key not in there:
                    yield service.name, key

    def hindrance(self, service: str, key: str) -> str | None:
        """Why a missing key gets no line; None where it does."""
        if is_flag(key, self._flags):
            return "a flag is switched on only where that is asked for by its name"
        asking = [n for n in self._needs if (n.service, n.key) == (service, key)]
        alone = asking and all(n.how in _OUTSIDE for n in asking)
        if alone and self._example(service, key) is None:
            return f"{asking[0].path} asks for it where it is run: no service's file is read there"
        return None

    def file(self, service: str, key: str) -> str:
        """Where the key goes: the root file where the root's example has it, else the service's."""
        example = self._example(service, key)
        in_root = not service or (example is not None and example[0].service is None)
        owner = None if in_root else service
        own = [s.path for s in self._production if s.service == owner and s.kind == "file"]
        if own:
            return own[-1]
        if owner is None:
            return root_of(self._production, self._layout.production, frozenset())
        return self._beside(service)

    def operation(self, service: str, key: str) -> Operation:
        """What is written there."""
        found = self._example(service, key)
        if found is None:
            return Operation(kind="placeholder", key=key)
        source, entry = found
        kind: OperationKind = "copy" if _plain(entry) else "placeholder"
        return Operation(
            kind=kind,
            key=key,
            source=source.path if kind == "copy" else None,
            like=source.path,
        )

    def switched(self, key: str) -> Iterator[tuple[str, Operation] | Left]:
        """What switches a flag on, for each service that has to do with it."""
        if not is_flag(key, self._flags):
            yield Left(key=key, service="", reason="its name is no flag's: declare it as one")
            return
        stands = [s for s in self._production if any(e.key == key for e in s.entries)]
        for source in stands:
            yield from self._on(key, source)
        covered = {s.service for s in stands}
        if None in covered:
            return
        for service in self._layout.services:
            if service.name not in covered and self._concerns(service.name, key):
                like = self._example(service.name, key)
                operation = Operation(kind="flag", key=key, like=like[0].path if like else None)
                yield self.file(service.name, key), operation

    def _on(self, key: str, source: Source) -> Iterator[tuple[str, Operation] | Left]:
        entry = [e for e in source.entries if e.key == key][-1]
        service = source.service or ""
        if entry.state == "on":
            yield Left(key=key, service=service, reason=f"it is on in {source.path} already")
        elif source.kind != "file":
            yield Left(key=key, service=service, reason=f"it is set in {source.path}: by hand")
        elif entry.state == "off" or entry.shape == "empty":
            yield source.path, Operation(kind="switch", key=key)
        else:
            reason = f"what {source.path} sets it to is neither on nor off: by hand"
            yield Left(key=key, service=service, reason=reason)

    def _concerns(self, service: str, key: str) -> bool:
        reads = any(n.service == service and n.key == key for n in self._needs)
        return reads or self._example(service, key) is not None

    def _example(self, service: str, key: str) -> tuple[Source, Entry] | None:
        for source in reversed(list(self._of(service, self._examples))):
            for entry in reversed(source.entries):
                if entry.key == key and source.kind == "file":
                    return source, entry
        return None

    def _of(self, service: str, sources: Iterable[Source]) -> Iterator[Source]:
        return (s for s in sources if s.service in {None, service})

    def _beside(self, service: str) -> str:
        """The production file of a service that has none: named as its example is."""
        name = f".env.{self._layout.production}"
        own = [s.path for s in self._examples if s.service == service and s.kind == "file"]
        if own:
            renamed = posixpath.basename(own[-1]).replace(EXAMPLE, self._layout.production)
            return posixpath.join(posixpath.dirname(own[-1]), renamed)
        folder = next(s.folder for s in self._layout.services if s.name == service)
        return posixpath.normpath(posixpath.join(folder, name))


def _plain(entry: Entry) -> bool:
    """Whether an example's value is no secret, no address and no stand-in for one."""
    told = entry.given and not entry.refers and not entry.credentials
    return told and entry.shape in _PLAIN_SHAPES and not looks_secret(entry.key)
