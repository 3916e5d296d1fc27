"""The revision graph: what waits between where a database is and where it should be."""

from collections.abc import Iterable

from rulezero_policies.errors import (
    SeveralHeads,
    UnknownBranch,
    UnknownDatabaseRevision,
    UnknownRevision,
)
from rulezero_policies.scene import Flaw, FlawKind
from rulezero_tools.records import Description, Revision, Route


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
        raise SeveralHeads(heads=named_heads(seen))
    if not seen.heads:
        raise UnknownRevision(revision="head", heads="none")
    return seen.heads[0]


def named_heads(seen: Description) -> str:
    """The heads in words, each with the labels of its branch."""
    return ", ".join(named(seen, head) for head in sorted(seen.heads))


def named(seen: Description, revision: str) -> str:
    """A revision in words, with the labels of its branch."""
    labels = ", ".join(labels_of(seen, revision))
    return f"{revision} ({labels})" if labels else revision


def labels_of(seen: Description, revision: str) -> tuple[str, ...]:
    """The labels of the branch that a revision is on."""
    return next((r.branch_labels for r in seen.revisions if r.id == revision), ())


def on_branch(seen: Description, branch: str, among: Iterable[str]) -> str:
    """The one of `among` that `branch` names: by its label, or by its id or how that begins.

    Raises:
        UnknownBranch: It names none, or several.
    """
    known = tuple(sorted(among))
    found = [r for r in known if branch == r or branch in labels_of(seen, r)]
    found = found or [r for r in known if branch and r.startswith(branch)]
    if len(found) != 1:
        heads = ", ".join(named(seen, r) for r in known) or "none"
        raise UnknownBranch(branch=branch, heads=heads)
    return found[0]


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
    """These revisions and everything before them, what they depend on included."""
    down = {r.id: (*r.down, *r.depends_on) for r in seen.revisions}
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


def passed(seen: Description, route: Route) -> tuple[Revision, ...]:
    """The revisions of a way, in its order."""
    known = {r.id: r for r in seen.revisions}
    return tuple(known[revision] for revision in route.revisions)


def at(revisions: Iterable[str]) -> str:
    """Revisions in words; none is `base`."""
    return ", ".join(sorted(revisions)) or "base"


def only(revisions: tuple[str, ...]) -> str | None:
    """The one revision, or `base` for none; None for several, for which there is no one word."""
    return (revisions or ("base",))[0] if len(revisions) < 2 else None
