"""What the revisions make of an empty database: the schema as the project's history has it."""

from __future__ import annotations

import time
from typing import Any

from . import diff, explaining, legs, live, operations
from .cut import Limit
from .load import Loaded
from .tape import Tape


def build(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Go from nothing to the revisions that the target is at, and on to the heads.

    Args:
        loaded: The project, loaded after `run.prepare`.
        args: `start` (the revisions that the target is at; those that no file has left out),
            `identity` (of the target) and `seconds` (for all of it).

    Returns:
        What was seen, shaped as `rulezero_tools.parity.records.Built` without its `where`.
    """
    limit = Limit(args["seconds"])
    try:
        return _Building(loaded, args, limit).seen()
    finally:
        limit.stop()


class _Building:
    """One build, and what it has seen so far."""

    def __init__(self, loaded: Loaded, args: dict[str, Any], limit: Limit) -> None:
        self._loaded, self._start, self._limit = loaded, args["start"], limit
        self._shadow = legs.Shadow(args["identity"], loaded.guard.shadow.to)
        self._tape = Tape(loaded, limit)
        self._saw: dict[str, Any] = {}

    def seen(self) -> dict[str, Any]:
        started = time.monotonic()
        if self._goes(self._start) and self._looks("at") and self._goes(["heads"]):
            self._looks("head")
            self._saw["operations"] = self._wanted()
        return {**self._saw, "seconds": round(time.monotonic() - started, 3)}

    def _goes(self, there: list[str]) -> bool:
        """Upgrade to these revisions; whether that went through."""
        for to in there:
            raised = legs.go(self._loaded, self._shadow, self._tape, self._leg(to))
            if raised is not None:
                self._saw["failed"] = self._failed(raised)
                return False
        return True

    def _leg(self, to: str) -> legs.Leg:
        here: list[tuple[str, ...]] = []
        legs.look(self._loaded, self._shadow, lambda current, _: here.append(current))
        return legs.Leg("upgrade", "upgrade", here[0], to)

    def _looks(self, moment: str) -> bool:
        if self._limit.over:
            self._saw["cut"] = True
            return False

        def look(_: tuple[str, ...], context: Any) -> None:
            self._saw[moment] = live.listed(context)

        legs.look(self._loaded, self._shadow, look)
        return True

    def _wanted(self) -> list[dict[str, Any]] | None:
        """What the models want beyond the revisions; None where that cannot be told."""
        loaded = self._loaded
        loaded.autogenerates(on=True)
        try:
            revision, dialect = diff.autogenerate(loaded, message=None)
            return operations.serialize(diff.operations_of(revision), dialect)
        except Exception:  # noqa: BLE001 - no models, or several databases
            return None
        finally:
            loaded.autogenerates(on=False)

    def _failed(self, raised: BaseException) -> dict[str, Any]:
        if legs.was_cut(raised, self._limit):
            self._saw["cut"] = True
        said, place = explaining.noted(raised), self._tape.place(raised)
        told = {"kind": said["kind"], "error": said["error"]}
        return {"leg": "upgrade", **told, **self._tape.where(place)}
