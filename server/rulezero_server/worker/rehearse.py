"""A rehearsal: the revisions run on the shadow, there and back, and what that did is compared."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any, NamedTuple

from . import afterwards, explaining, intact, legs, rowsums, run, sealed, things, ways
from .cut import Limit
from .load import Loaded
from .tape import Tape, changes


def prepare(args: dict[str, Any], root: str) -> None:
    """Seal the project's code under `root`, as for a run.

    Raises:
        SealError: A sealed copy is not what it is said to be.
    """
    sealed.install(args["sealed"], root)


def rehearse(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Go where `direction` leads, back to the start, and for an upgrade there again.

    With "twice" it is an upgrade, and another one with nothing left to do, without a way back.

    Args:
        loaded: The project, loaded after `prepare`.
        args: `direction`, `start` (the revisions that the shadow is at), `to`, `identity` (of the
            target), `seconds` (for all of it) and `rows` (of a table that are held one by one);
            also `skip` and `statements`, as `run.run` takes them: then there is no way back, for
            the start is half of a revision; and `reads`, how many old rows each class reads.

    Returns:
        What was seen, shaped as `rehearsal.Rehearsed`.
    """
    limit = Limit(args["seconds"])
    try:
        return _Rehearsal(loaded, args, limit).seen()
    finally:
        limit.stop()


_LEGS: dict[str, tuple[str, ...]] = {
    "upgrade": ("upgrade", "downgrade", "reupgrade"),
    "downgrade": ("downgrade", "upgrade"),
    "undo": ("downgrade",),
    "twice": ("upgrade",),
}
_WORDS = {"upgrade": "upgrade", "downgrade": "downgrade", "reupgrade": "second upgrade"}

_NAMED = 5
"""Tables that are named where there are many."""


class _Moment(NamedTuple):
    """The shadow as it stands between two ways."""

    current: tuple[str, ...]
    things: list[dict[str, Any]]
    rows: dict[Any, rowsums.Rows]
    broken: list[str]


class _Rehearsal:
    """One rehearsal, and what it has seen so far."""

    def __init__(self, loaded: Loaded, args: dict[str, Any], limit: Limit) -> None:
        self._loaded, self._args, self._limit = loaded, args, limit
        self._shadow = legs.Shadow(args["identity"], loaded.guard.shadow.to)
        self._tape = Tape(loaded, limit)
        given = {name: tuple(args.get(name) or ()) for name in ("skip", "statements")}
        self._more = given if any(given.values()) else {}
        self._saw: dict[str, Any] = {"failed": [], "not_shown": []}

    def seen(self) -> dict[str, Any]:
        started = time.monotonic()
        self._go()
        return {
            **self._saw,
            "sent": self._tape.told(),
            "refused": self._refused(),
            "seconds": round(time.monotonic() - started, 3),
        }

    def _go(self) -> None:
        here = self._moment("the start")
        if here is None:
            return
        run.at(here.current, self._args["start"])
        self._first = here
        self._saw.update(before=here.things, broken_before=here.broken)
        names = _LEGS[self._args["direction"]][: 1 if self._more else 3]
        for name, reached in zip(names, ("there", "back", "again")):
            leg = self._leg(name, here)
            after = None if leg is None else self._way(leg, reached)
            if after is None:
                cut = names[names.index(name) + 1 :] if self._limit.over else ()
                self._saw["not_shown"] += [f"the {_WORDS[later]} was not reached" for later in cut]
                return
            here = after
        if self._args["direction"] == "twice":
            self._again(here)
        elif len(names) > 2:
            self._nothing(here)

    def _leg(self, name: str, here: _Moment) -> legs.Leg | None:
        """The way of this name, from where the shadow is; None where Alembic knows none."""
        direction: str = "downgrade" if name == "downgrade" else "upgrade"
        if self._more:
            whole: str = self._args["direction"]
            return legs.Leg(name, whole, here.current, self._args["to"], **self._more)
        if name not in _LEGS[self._args["direction"]][1:2]:
            return legs.Leg(name, direction, here.current, self._args["to"])
        return legs.Leg(name, direction, here.current, self._start(direction, here))

    def _start(self, direction: str, here: _Moment) -> str:
        """What Alembic is told, to get back to the start."""
        start, steps = self._first.current, self._tape.steps
        back = ways.back(self._loaded, direction, here.current, start, steps)
        return back or (start[0] if start else "base")

    def _way(self, leg: legs.Leg, reached: str) -> _Moment | None:
        raised = legs.go(self._loaded, self._shadow, self._tape, leg)
        if legs.was_cut(raised, self._limit):
            seconds, at = f"{self._limit.seconds:g} s", self._tape.step
            place = f", at revision {at}" if at else ""
            self._saw["not_shown"].append(
                f"the {_WORDS[leg.name]} was cut off after {seconds}{place}"
            )
            return None
        self._saw[leg.name] = "ok" if raised is None else "failed"
        if raised is not None:
            self._saw["failed"].append(self._failed(leg, raised))
        moment = self._moment(f"the {_WORDS[leg.name]}")
        if moment is not None:
            self._compare(leg, reached, moment)
        return None if raised is not None else moment

    def _compare(self, leg: legs.Leg, reached: str, moment: _Moment) -> None:
        before, saw = self._first, self._saw
        saw[reached] = moment.things
        saw["broken_after"] = sorted({*saw.get("broken_after", ()), *moment.broken})
        if reached == "there":
            saw["data_there"] = rowsums.differing(before.rows, moment.rows, every=False)
            saw["emptied"] = list(rowsums.emptied(before.rows, moment.rows))
            if leg.direction == "upgrade" and saw[leg.name] == "ok":
                self._models(moment)
        elif reached == "back" and set(moment.current) == set(before.current):
            saw["data_back"] = rowsums.differing(before.rows, moment.rows, every=True)
        elif reached == "back" and saw[leg.name] == "ok":
            here = ", ".join(sorted(moment.current)) or "base"
            saw["not_shown"].append(f"the {_WORDS[leg.name]} ends at {here}, not at the start")

    def _models(self, here: _Moment) -> None:
        """Autogenerate compares at the last revisions, and old rows are read with their models."""
        read: list[dict[str, Any]] = []
        if set(here.current) != set(self._loaded.script.get_heads()):
            return
        most = self._args.get("reads") or afterwards.ROWS

        def look(_: tuple[str, ...], context: Any) -> None:
            read.extend(afterwards.readback(context, most, lambda: not self._limit.over))

        legs.look(self._loaded, self._shadow, look)
        unread = [f"{r['name']}: {r['error']}" for r in read if r["error"]]
        remaining = afterwards.remaining(self._loaded)
        self._saw.update(readback=read, unreadable=unread, remaining=remaining)

    def _again(self, here: _Moment) -> None:
        """Upgrade twice: what the second time leaves is held against what the first one left."""
        if not self._nothing(here):
            return
        moment = self._moment("the second upgrade")
        if moment is not None:
            again = rowsums.differing(here.rows, moment.rows, every=True)
            self._saw.update(again=moment.things, data_again=again)

    def _nothing(self, here: _Moment) -> bool:
        """Upgrade once more where nothing is left to do; whether that was reached."""
        tape = Tape(self._loaded, self._limit)
        leg = legs.Leg("reupgrade", "upgrade", here.current, self._args["to"])
        raised = legs.go(self._loaded, self._shadow, tape, leg)
        if legs.was_cut(raised, self._limit):
            self._saw["not_shown"].append("an upgrade with nothing left to do was not reached")
            return False
        if raised is not None:
            self._saw["failed"].append(self._failed(leg, raised))
        if self._args["direction"] == "twice":
            self._saw["reupgrade"] = "ok" if raised is None else "failed"
        self._saw["runs_again"] = list(changes(tape.told()))
        return True

    def _moment(self, after: str) -> _Moment | None:
        if self._limit.over:
            self._saw["not_shown"].append(f"what {after} left was not looked at")
            return None
        found: list[_Moment] = []

        def look(current: tuple[str, ...], context: Any) -> None:
            table, most = legs.version_table(context), self._args["rows"]
            listed = things.things(context.connection, table)
            rows, missed = rowsums.take(
                context.connection, table, most, lambda: not self._limit.over
            )
            if missed:
                names = ", ".join(missed[:_NAMED]) + (" …" if len(missed) > _NAMED else "")
                self._saw["not_shown"].append(f"the rows of {names}, after {after}")
            found.append(_Moment(current, listed, rows, intact.broken(context.connection)))

        legs.look(self._loaded, self._shadow, look)
        return found[0]

    def _failed(self, leg: legs.Leg, raised: BaseException) -> dict[str, Any]:
        sent, earlier = self._tape.failed, self._tape.earlier()
        said = self._explained(raised, earlier)
        sql = {"sql": sent["sql"]} if sent else {}
        return {"leg": leg.name, **said, **sql, **self._tape.where(self._tape.place(raised))}

    def _explained(self, raised: BaseException, earlier: list[str]) -> dict[str, Any]:
        """Ask for the rows in the way on a connection as env.py makes one."""
        said: list[dict[str, Any]] = []

        def look(_: Any, context: Any) -> None:
            connection = context.connection
            said.append(explaining.explain(raised, lambda: nullcontext(connection), earlier))

        try:
            legs.look(self._loaded, self._shadow, look)
        except Exception:  # noqa: BLE001 - what failed is told, also where nothing more can be asked
            said.append(explaining.explain(raised, _nowhere))
        return said[0]

    def _refused(self) -> list[str]:
        """What the project's own code tried, and was kept from."""
        found = [
            f"{entry['kind']} {entry['call']} ({entry['file']}, line {entry['line']})"
            for entry in self._loaded.log
            if entry["kind"] in {"program", "connection"} and entry["package"] is None
        ]
        return list(dict.fromkeys(found))


def _nowhere() -> Any:
    raise ConnectionError("the shadow cannot be asked")
