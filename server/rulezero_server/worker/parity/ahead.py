"""A shadow is taken to the newest revisions, so that code runs on what production will be."""

from __future__ import annotations

from typing import Any

from .. import errors, legs  # noqa: TID252 - the worker runs under another package name
from ..cut import Limit  # noqa: TID252
from ..load import Loaded  # noqa: TID252
from ..tape import Tape  # noqa: TID252


def ahead(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Upgrade the shadow to the heads.

    Args:
        loaded: The project, loaded after its code was sealed.
        args: `identity` (of the target) and `seconds` (for all of it).

    Returns:
        `at`, the revisions that it is at then; `error`, the kind of what it failed with, and the
        `revision` that it came to; None where it went through.
    """
    shadow = legs.Shadow(args["identity"], loaded.guard.shadow.to)
    limit = Limit(args["seconds"])
    tape = Tape(loaded, limit)
    try:
        leg = legs.Leg("upgrade", "upgrade", _current(loaded, shadow), "heads")
        raised = legs.go(loaded, shadow, tape, leg)
    finally:
        limit.stop()
    error = None if raised is None else errors.kind_of(raised)
    where = None if raised is None else tape.step
    return {"at": sorted(_current(loaded, shadow)), "error": error, "revision": where}


def _current(loaded: Loaded, shadow: legs.Shadow) -> tuple[str, ...]:
    found: list[tuple[str, ...]] = []
    legs.look(loaded, shadow, lambda current, _context: found.append(current))
    return found[0]


def url(loaded: Loaded, identity: dict[str, Any]) -> Any:
    """The URL by which env.py connects, which leads to the shadow; an SQLAlchemy URL.

    Raises:
        NotTheShadowError: What answers is not the shadow.
    """
    shadow = legs.Shadow(identity, loaded.guard.shadow.to)
    found: list[Any] = []
    legs.look(loaded, shadow, lambda _current, context: found.append(context.connection.engine.url))
    return found[0]
