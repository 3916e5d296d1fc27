"""What `plan_parity` tells: files and keys, and what each service sees; never a value."""

from collections.abc import Iterable
from dataclasses import dataclass

from rulezero_policies.parity.changes import SettingsFile
from rulezero_policies.parity.consolidation import Consolidation, Kept, Shared
from rulezero_policies.parity.generating import Left
from rulezero_policies.parity.values import Layout


@dataclass(frozen=True, kw_only=True)
class FileView:
    """What is done to one file; `created` is whether it is not there yet."""

    path: str
    created: bool
    edits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """The keys that a service sees in production, before and after.

    `gains` are those that it does not see now; `from_root` those that it sees from the root file
    afterwards, with the value they have now. It loses none.
    """

    service: str
    before: int
    after: int
    gains: tuple[str, ...]
    from_root: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConflictView:
    """A key that services set to different values; nothing is done about it."""

    key: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ParityPlanResult:
    """A files plan: nothing was written yet. `plan_id` is null where there is nothing to write.

    `conflicts`, `kept` and `left` are for a person: what disagrees, what stays with its service,
    and what is missing still. `placeholders` are keys that a person gives a value afterwards.
    """

    plan_id: str | None
    environment: str
    root: str
    files: tuple[FileView, ...]
    services: tuple[ServiceView, ...]
    shared: tuple[Shared, ...]
    kept: tuple[Kept, ...]
    conflicts: tuple[ConflictView, ...]
    left: tuple[Left, ...]
    placeholders: tuple[str, ...]
    backups: str
    warnings: tuple[str, ...]
    approval_request: str | None
    next_step: str


def services(
    layout: Layout, moved: Consolidation, targets: Iterable[SettingsFile]
) -> Iterable[ServiceView]:
    """What each service sees before and after."""
    targets, root = tuple(targets), moved.root
    added = {t.path: frozenset(_keys(t, gone=False)) for t in targets}
    gone = {t.path: frozenset(_keys(t, gone=True)) for t in targets}
    for service in layout.services:
        production = (s for s in layout.sources if s.environment == layout.production)
        own = [s for s in production if s.service in {None, service.name}]
        before = frozenset(e.key for s in own for e in s.entries)
        paths = {s.path for s in own} | ({root} if service.name in moved.readers else set[str]())
        left = frozenset[str]().union(*(gone.get(path, ()) for path in paths))
        fresh = frozenset[str]().union(*(added.get(path, ()) for path in paths)) - before
        yield ServiceView(
            service=service.name,
            before=len(before),
            after=len(before | fresh),
            gains=tuple(sorted(fresh)),
            from_root=tuple(sorted(left)),
        )


def _keys(target: SettingsFile, *, gone: bool) -> Iterable[str]:
    for operation in target.operations:
        if operation.key and (operation.kind == "remove") == gone:
            yield operation.key
