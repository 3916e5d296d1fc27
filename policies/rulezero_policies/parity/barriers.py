"""Conditions on the way to a thing, held against what production has."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.parity.conditions import Condition, Through, When
from rulezero_policies.parity.flags import FlagState, state_of
from rulezero_policies.parity.values import Layout, State
from rulezero_policies.parity.walked import Walked, entry


@dataclass(frozen=True, kw_only=True)
class Barrier:
    """A condition, and whether production closes it; None: that is not known, `unsure` says why.

    `fixed` is where the code itself gives the setting its value. `switched` is whether what is
    asked is on or off, and not only whether it is there.
    """

    names: tuple[str, ...]
    service: str
    path: str
    line: int
    through: Through | Literal["flag"]
    when: When
    state: State | Literal["unknown"]
    why: str
    closed: bool | None
    unsure: str = ""
    fixed: str = ""
    switched: bool = False


def barriers(code: Walked, conditions: Iterable[Condition], layout: Layout) -> tuple[Barrier, ...]:
    """What stands on a way, in order."""
    flags = Flags(code, layout)
    return tuple(dict.fromkeys(flags.barrier(c) for c in conditions))


class Flags:
    """How the flags of one service stand in production."""

    def __init__(self, code: Walked, layout: Layout) -> None:
        """Look at `layout`'s production."""
        self._code = code
        self._layout = layout

    def alone(self, name: str, places: list[tuple[str, int]]) -> list[Barrier]:
        """A flag by itself, at the first place that tests or reads it."""
        return [self._made((name,), self._state(name), place, "on", "flag") for place in places]

    def barrier(self, condition: Condition) -> Barrier:
        """A condition as production meets it."""
        names = tuple(sorted(condition.depends.names))
        states = [self._state(n, condition) for n in names]
        closing = [s for s in states if _closes(s, condition.when) is not False]
        # One that lets through is enough to know where any would do; several are not told apart.
        state = closing[0] if closing else states[0]
        place = (condition.path, condition.line)
        made = self._made(names, state, place, condition.when, condition.through)
        if len(names) > 1 and len(closing) not in {0, len(states)}:
            return _unsure(made, "it depends on several settings that do not agree")
        return made

    def _state(self, name: str, condition: Condition | None = None) -> FlagState:
        environment = self._layout.production
        kept = dict(condition.depends.remote).get(name) if condition is not None else None
        fixed = self._code.carriers.fixed.get(name)
        needs = self._code.needs_of(name)
        if kept is not None:
            return FlagState(environment=environment, state="unknown", why="kept elsewhere")
        if fixed is not None and not needs:
            return FlagState(environment=environment, state=fixed.state, why="fixed in the code")
        found = state_of(self._layout, self._code.service, environment, name, needs)
        bare = condition is not None and condition.bare and name in self._code.carriers.raw
        if bare and found.why == "set" and found.state == "off" and not self._is_empty(name):
            return replace(found, state="on", why="a text that is not empty")
        return found

    def _is_empty(self, name: str) -> bool:
        environment = self._layout.production
        said = (
            entry(self._layout, self._code.service, environment, n)
            for n in self._code.needs_of(name)
        )
        return any(e is not None and e.shape == "empty" for e in said)

    def _made(
        self,
        names: tuple[str, ...],
        state: FlagState,
        place: tuple[str, int],
        when: When,
        through: Through | Literal["flag"],
    ) -> Barrier:
        closed = _closes(state, when)
        fixed = self._code.carriers.fixed.get(names[0])
        in_code = fixed is not None and state.why == "fixed in the code"
        why = f"{' or '.join(names)} at {place[0]}:{place[1]}"
        return Barrier(
            names=names,
            service=self._code.service,
            path=place[0],
            line=place[1],
            through=through,
            when=when,
            state=state.state,
            why=state.why,
            closed=closed,
            unsure=f"how {why} stands ({state.why})" if closed is None else "",
            fixed=f"{fixed.path}:{fixed.line}" if fixed is not None and in_code else "",
            switched=self._is_switched(names[0]),
        )

    def _is_switched(self, name: str) -> bool:
        every = (*self._layout.baseline, self._layout.production)
        needs = self._code.needs_of(name)
        said = (entry(self._layout, self._code.service, e, n) for e in every for n in needs)
        boolean = any(e is not None and e.shape == "boolean" for e in said)
        return boolean or name in self._code.booleans


def _unsure(barrier: Barrier, why: str) -> Barrier:
    place = f"{barrier.path}:{barrier.line}"
    unsure = f"{' or '.join(barrier.names)} at {place}: {why}"
    return replace(barrier, closed=None, unsure=unsure)


def _closes(state: FlagState, when: When) -> bool | None:
    """Whether a flag that stands so keeps out what asks for `when`."""
    if state.state == "unknown" or when == "unknown":
        return None
    if state.state == "other":
        # A value that is there is as good as "on" to who asks only if it is.
        return False if when == "on" else None
    return state.state != when
