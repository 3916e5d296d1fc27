"""The way that a plan takes: up to a head or revision, or down from where the database is."""

from typing import Literal

from rulezero_policies.errors import ChooseBranch, NothingPending, UnknownBranch
from rulezero_tools import graph
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Route


def up(session: Session, seen: Description, revision: str | None, branch: str | None) -> Route:
    """The way to this revision, to the head of this branch, or to the only head.

    Raises:
        SeveralHeads: Neither was said, and there are several.
        UnknownBranch: No head is on that branch, or the revision is not.
        UnknownRevision: There is none like it, or the database is at one that no file has.
        NothingPending: The database is there.
    """
    to = _up_to(seen, revision, branch)
    graph.check_current(seen)
    return _route(session, seen, "upgrade", to)


def down(
    session: Session, seen: Description, revision: str | None, branch: str | None
) -> tuple[str, Route]:
    """Back to where, in Alembic's words, and the way there.

    Raises:
        ChooseBranch: The database is at several heads, and neither was said.
        UnknownBranch: It is at no head on that branch.
        UnknownRevision: There is no such revision.
        NothingPending: There is nothing to undo, or the database is before that revision.
    """
    to = _down_to(seen, revision, branch)
    return to, _route(session, seen, "downgrade", to)


def _route(
    session: Session, seen: Description, direction: Literal["upgrade", "downgrade"], to: str
) -> Route:
    start = seen.database.current
    route = session.project.route(direction=direction, start=start, to=to)
    if not route.revisions:
        raise NothingPending(current=graph.at(start))
    return route


def _up_to(seen: Description, revision: str | None, branch: str | None) -> str:
    """Where an upgrade leads: to this revision, to the head of this branch, or to the only head.

    Raises:
        SeveralHeads: Neither was said, and there are several.
        UnknownBranch: No head is on that branch, or the revision is not.
        UnknownRevision: There is none like it.
    """
    head = graph.on_branch(seen, branch, seen.heads) if branch else None
    if revision is None:
        return head or graph.only_head(seen)
    found = graph.find(seen, revision).id
    if head and found not in graph.lineage(seen, [head]):
        raise UnknownBranch(branch=f"{branch} with {found} on it", heads=graph.named_heads(seen))
    return found


def _down_to(seen: Description, revision: str | None, branch: str | None) -> str:
    """Back to where, in Alembic's words."""
    current = seen.database.current
    if revision is not None and branch is None:
        return revision if revision == "base" else _before(seen, revision)
    head = _head(seen, branch)
    to = revision or next(iter(graph.find(seen, head).down), "base")
    to = to if to == "base" else graph.find(seen, to).id
    # A plain revision would take down what else follows it.
    return f"{head}@{to}" if len(current) > 1 else to


def _before(seen: Description, revision: str) -> str:
    found = graph.find(seen, revision).id
    if found not in graph.lineage(seen, seen.database.current):
        raise NothingPending(current=graph.at(seen.database.current))
    return found


def _head(seen: Description, branch: str | None) -> str:
    """The one that the database is at, of several the one on this branch."""
    current = seen.database.current
    if branch:
        return graph.on_branch(seen, branch, current)
    if len(current) > 1:
        raise ChooseBranch(heads=", ".join(graph.named(seen, r) for r in sorted(current)))
    if not current:
        raise NothingPending(current=graph.at(current))
    return current[0]
