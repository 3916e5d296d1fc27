"""The way to a revision, as Alembic itself goes it: what runs, where it ends, how to come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from alembic.runtime.migration import HeadMaintainer
from alembic.util import CommandError, to_tuple

from . import errors


class Way(NamedTuple):
    """What runs, in order, and the heads that the database is then at."""

    revisions: tuple[str, ...]
    heads: tuple[str, ...]


class _Heads(HeadMaintainer):
    """Alembic's own bookkeeping of a database's heads, without the table."""

    def _insert_version(self, version: str) -> None:
        self.heads.add(version)

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)

    def _update_version(self, from_: str, to_: str) -> None:
        self.heads.remove(from_)
        self.heads.add(to_)


def route(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """The way from one set of revisions to another, and the way back.

    Args:
        loaded: The project.
        args: `direction` ("upgrade" or "downgrade"), `start` (where the database is) and `to`, in
            Alembic's words: a revision, "base", or either on a branch (`BRANCH@REVISION`).

    Returns:
        `revisions` and `heads` as in `Way`, and `back`: what Alembic is told to get back to the
        start, None where it has no word for that; shaped as `records.Route`.

    Raises:
        Failure: NoWay.
    """
    direction, start = args["direction"], tuple(args["start"])
    try:
        there = way(loaded, direction, args["to"], start)
    except CommandError as error:
        at = ", ".join(sorted(start)) or "base"
        said = errors.text(error).rstrip(".")
        raise errors.Failure("NoWay", current=at, to=args["to"], error=said) from error
    return {
        "revisions": list(there.revisions),
        "heads": sorted(there.heads),
        "back": back(loaded, _OTHER[direction], there.heads, start, len(there.revisions)),
    }


_OTHER = {"upgrade": "downgrade", "downgrade": "upgrade"}


def revision_steps(loaded: Any, direction: str) -> Callable[[str, Sequence[str]], Any]:
    """What gives the steps to a revision, from the revisions that a database is at."""
    if direction in {"undo", "purge"}:
        return lambda _to, _current: []
    script = loaded.script
    return script._upgrade_revs if direction == "upgrade" else script._downgrade_revs  # noqa: SLF001 - as alembic's commands do


def way(loaded: Any, direction: str, to: str, start: Sequence[str]) -> Way:
    """The way from `start` to `to`.

    Raises:
        CommandError: Alembic knows none.
    """
    steps = list(revision_steps(loaded, direction)(to, tuple(start)))
    heads = _Heads(None, start)  # pyright: ignore[reportArgumentType] - only what is replaced asks it
    try:
        for step in steps:
            heads.update_to_step(step)
    except (KeyError, AssertionError) as error:
        raise CommandError("Alembic's own bookkeeping of the heads fails on this way") from error
    revisions = tuple(str(step.revision.revision) for step in steps)
    return Way(revisions, tuple(sorted(heads.heads)))


def back(
    loaded: Any, direction: str, here: Sequence[str], start: Sequence[str], steps: int
) -> str | None:
    """What Alembic is told to get from `here` back to `start` in as many steps, if it has a word.

    A plain revision may lead astray: from a branch of two heads it takes both down.
    """
    for to in _candidates(loaded, direction, here, start, steps):
        try:
            found = way(loaded, direction, to, here)
        except CommandError:
            continue
        if set(found.heads) == set(start) and len(found.revisions) == steps:
            return to
    return None


def _candidates(
    loaded: Any, direction: str, here: Sequence[str], start: Sequence[str], steps: int
) -> Iterator[str]:
    yield from tuple(start) or ("base",)
    if direction == "upgrade":
        yield "heads"
        return
    for head in sorted(set(here) - set(start)):
        yield from (f"{head}@{below}" for below in _below(loaded, head, steps))


def _below(loaded: Any, head: str, steps: int) -> list[str]:
    """What stands under the last `steps` revisions of a branch, the nearest first."""
    found: list[str] = []
    row = [head]
    for _ in range(steps):
        scripts = [loaded.script.get_revision(revision) for revision in row]
        row = [d for s in scripts for d in to_tuple(s.down_revision, default=())]
        found += row or ["base"]
        if not row:
            break
    return list(dict.fromkeys(found))
