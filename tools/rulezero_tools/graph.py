"""The revision graph: what waits between where a database is and where it should be."""

from collections.abc import Iterable

from rulezero_policies.errors import (
    NothingPending,
    SeveralHeads,
    UnknownDatabaseRevision,
    UnknownRevision,
)
from rulezero_policies.scene import Flaw, FlawKind
from rulezero_tools.records import Description, Revision


def find(seen: Description, revision: str) -> Revision:
    """The revision with this id, or the only one whose id begins so.

    Raises:
        UnknownRevision: None, or several.
    """
    exact = [r for r in seen.revisions if r.id == revision]
    found = exact or [r for r in seen.revisions if revision and r.id.startswith(revision)]
    if len(found) != 1:
        raise UnknownRevision(revision=revision, heads=", ".join(seen.heads) or "none")
    return found[0]


def only_head(seen: Description) -> str:
    """The project's one head.

    Raises:
        SeveralHeads: There are more.
        UnknownRevision: There is no revision at all.
    """
    if len(seen.heads) > 1:
        raise SeveralHeads(heads=", ".join(sorted(seen.heads)))
    if not seen.heads:
        raise UnknownRevision(revision="head", heads="none")
    return seen.heads[0]


def check_current(seen: Description) -> None:
    """Refuse a database whose revision no file of the project knows.

    Raises:
        UnknownDatabaseRevision: Naming it.
    """
    known = {r.id for r in seen.revisions}
    for revision in seen.database.current:
        if revision not in known:
            raise UnknownDatabaseRevision(revision=revision)


def unknown(seen: Description) -> tuple[Flaw, ...]:
    """The revisions at which the database stands and that no file of the project has."""
    known = {r.id for r in seen.revisions}
    return tuple(
        Flaw(kind="unknown revision", revision=revision, names=seen.heads)
        for revision in seen.database.current
        if revision not in known
    )


_BROKEN: frozenset[FlawKind] = frozenset({"syntax", "unreadable", "missing parent", "cycle"})


def is_broken(seen: Description) -> bool:
    """Whether alembic refuses every command over these files."""
    return any(flaw.kind in _BROKEN for flaw in seen.flaws)


def lineage(seen: Description, revisions: Iterable[str]) -> frozenset[str]:
    """These revisions and everything before them."""
    down = {r.id: r.down for r in seen.revisions}
    found: set[str] = set()
    waiting = list(revisions)
    while waiting:
        revision = waiting.pop()
        if revision not in found and revision in down:
            found.add(revision)
            waiting.extend(down[revision])
    return frozenset(found)


def pending(seen: Description, target: str | None = None) -> tuple[Revision, ...]:
    """What an upgrade to `target` (default: all heads) would run, in order; may be empty."""
    goal = lineage(seen, [target] if target else seen.heads)
    done = lineage(seen, seen.database.current)
    return tuple(r for r in seen.revisions if r.id in goal - done)


def to_undo(seen: Description, target: str | None) -> tuple[Revision, ...]:
    """What a downgrade to `target` (None: base) would run, newest first.

    Raises:
        NothingPending: The database is at or before `target` already.
    """
    done = lineage(seen, seen.database.current)
    keep = lineage(seen, [target] if target else [])
    undo = tuple(r for r in reversed(seen.revisions) if r.id in done - keep)
    if not undo or not keep <= done:
        raise NothingPending(current=at(seen.database.current))
    return undo


def at(revisions: Iterable[str]) -> str:
    """Revisions in words; none is `base`."""
    return ", ".join(sorted(revisions)) or "base"
