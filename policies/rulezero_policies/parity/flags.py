"""Feature flags: which there are, what each of them gates, and how they stand."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from rulezero_policies.parity.carriers import Depends
from rulezero_policies.parity.conditions import Condition, When
from rulezero_policies.parity.effective import effective, environments
from rulezero_policies.parity.things import Thing
from rulezero_policies.parity.values import Entry, FlagRule, Layout, Need, State
from rulezero_policies.parity.walked import Walked, built, entry, known

FlagKind = Literal["key", "code", "service"]
"""What a flag's state rests on: a key, the code alone, or a service or database that keeps it."""

GateKind = Literal["route", "command", "function", "class", "blueprint", "template", "code"]

Why = Literal[
    "set",
    "code default",
    "fixed in the code",
    "kept elsewhere",
    "not set",
    "not read",
    "a text that is not empty",
    "set by the image",
]

TEMPLATES = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".txt")

_CONDITION = re.compile(r"\{%-?\s*(?:if|elif)\s+(?P<test>[^%]*)%\}")

_DECIDES = frozenset(
    {"definition", "registration", "import", "guard", "decorator", "before request"}
)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Something that is there only where a flag is `when`."""

    kind: GateKind
    name: str
    path: str
    line: int
    when: When


@dataclass(frozen=True, kw_only=True)
class FlagTest:
    """A place that tests a flag; `function` is None at the top of a module or template."""

    path: str
    line: int
    function: str | None


@dataclass(frozen=True, kw_only=True)
class FlagState:
    """How a flag stands in one environment; "unknown" is said, with `why`."""

    environment: str
    state: State | Literal["unknown"]
    why: Why


@dataclass(frozen=True, kw_only=True)
class FlagView:
    """One flag of one service. `kept_by` is the service or library that holds it, if any does."""

    name: str
    service: str
    kind: FlagKind
    tests: tuple[FlagTest, ...] = ()
    gates: tuple[Gate, ...] = ()
    states: tuple[FlagState, ...] = ()
    kept_by: str | None = None

    def state(self, environment: str) -> FlagState | None:
        """How it stands there."""
        return next((s for s in self.states if s.environment == environment), None)


def is_flag(rule: FlagRule, name: str) -> bool:
    """Whether a key is called like a flag."""
    upper = name.upper()
    return name in rule.names or any(fnmatchcase(upper, p.upper()) for p in rule.patterns)


def flags(code: Iterable[Walked], layout: Layout, rule: FlagRule) -> tuple[FlagView, ...]:
    """Every flag of every service, in order."""
    found = (view for one in code for view in _Flags(one, layout, rule).views())
    return tuple(sorted(found, key=lambda v: (v.service, v.name)))


class _Flags:
    def __init__(self, code: Walked, layout: Layout, rule: FlagRule) -> None:
        self._code = code
        self._layout = layout
        self._rule = rule
        self._gates: dict[str, dict[Gate, None]] = {}
        self._tests: dict[str, dict[FlagTest, None]] = {}
        self._remote: dict[str, str] = {}
        self._decides: set[str] = set()

    def views(self) -> Iterator[FlagView]:
        """What is known of every flag."""
        for path, line, function, depends in self._code.tests():
            self._test(FlagTest(path=path, line=line, function=function), depends)
        for thing in self._code.things.every:
            for condition in self._code.ways.to(thing).conditions:
                self._gate(thing, condition)
        self._templates()
        for name in self._names():
            yield self._view(name)

    def _test(self, place: FlagTest, depends: Depends) -> None:
        for name in _names_of(depends):
            self._tests.setdefault(name, {})[place] = None
        self._remote.update(depends.remote)

    def _gate(self, thing: Thing, condition: Condition) -> None:
        self._remote.update(condition.depends.remote)
        shown = thing.label if thing.kind in {"route", "command"} else thing.name
        line = thing.node.lineno
        gate = Gate(
            kind=thing.kind, name=shown, path=thing.file.path, line=line, when=condition.when
        )
        place = FlagTest(
            path=condition.path, line=condition.line, function=self._function(condition)
        )
        for name in _names_of(condition.depends):
            self._gates.setdefault(name, {})[gate] = None
            if not any(
                t.path == place.path and t.line == place.line for t in self._tests.get(name, ())
            ):
                self._tests.setdefault(name, {})[place] = None
            if condition.through in _DECIDES and thing.kind in {"route", "command"}:
                self._decides.add(name)

    def _function(self, condition: Condition) -> str | None:
        """The function whose line a condition is, if it is a decorator's."""
        found = (
            t.name
            for t in self._code.things.every
            if t.file.path == condition.path and _decorated_at(t, condition.line)
        )
        return next(found, None)

    def _templates(self) -> None:
        for source in self._code.sources.files:
            for found in (
                _CONDITION.finditer(source.text) if source.path.endswith(TEMPLATES) else ()
            ):
                line = source.text.count("\n", 0, found.start()) + 1
                for word in re.findall(r"[A-Za-z_]\w*", found["test"]):
                    self._template(source.path, line, word, negated="not " in found["test"])

    def _template(self, path: str, line: int, word: str, *, negated: bool) -> None:
        depends = self._code.carriers.setting(word)
        for name in depends.keys or ({word} & self._code.carriers.fixed.keys()):
            gate = Gate(
                kind="template", name=path, path=path, line=line, when="off" if negated else "on"
            )
            self._gates.setdefault(name, {})[gate] = None
            self._tests.setdefault(name, {})[FlagTest(path=path, line=line, function=None)] = None

    def _names(self) -> list[str]:
        carriers = self._code.carriers
        read = {n.key for n in self._code.reading.needs}
        held = {k for e in environments(self._layout) for k in self._own(e)}
        named = {n for n in read | held | self._tested() if is_flag(self._rule, n)}
        booleans = {n for n in self._decides if n in read and self._is_boolean(n)}
        fixed = {n for n in carriers.fixed if n in self._tests and is_flag(self._rule, n)}
        return sorted(named | booleans | fixed | set(self._remote))

    def _tested(self) -> set[str]:
        return set(self._tests) | set(self._gates)

    def _own(self, environment: str) -> set[str]:
        """Keys that an environment sets for this service alone."""
        mine = (
            s
            for s in self._layout.sources
            if s.environment == environment and s.service in self._readers()
        )
        return {e.key for s in mine for e in s.entries}

    def _readers(self) -> set[str | None]:
        """Whose sources are this service's alone: the root's too where there is no other."""
        alone = len(self._layout.services) < 2
        return {self._code.service, None} if alone else {self._code.service}

    def _is_boolean(self, key: str) -> bool:
        """Whether a key that decides what is there is one that is on or off."""
        needs = self._code.needs_of(key)
        said = (
            entry(self._layout, self._code.service, e, n)
            for e in environments(self._layout)
            for n in needs
        )
        switched = any(e is not None and (e.shape == "boolean" or e.state != "other") for e in said)
        return switched or key in self._code.booleans or any(n.default == "on" for n in needs)

    def _view(self, name: str) -> FlagView:
        needs = self._code.needs_of(name)
        fixed = self._code.carriers.fixed.get(name)
        kept = self._remote.get(name)
        kind: FlagKind = "service" if kept else "code" if fixed and not needs else "key"
        return FlagView(
            name=name,
            service=self._code.service,
            kind=kind,
            tests=tuple(self._tests.get(name, ())),
            gates=tuple(self._gates.get(name, ())),
            states=tuple(self._states(name, kind, needs)),
            kept_by=kept,
        )

    def _states(self, name: str, kind: FlagKind, needs: tuple[Need, ...]) -> Iterator[FlagState]:
        for environment in environments(self._layout):
            if kind == "service":
                yield FlagState(environment=environment, state="unknown", why="kept elsewhere")
            elif kind == "code":
                state = self._code.carriers.fixed[name].state
                yield FlagState(environment=environment, state=state, why="fixed in the code")
            else:
                yield state_of(self._layout, self._code.service, environment, name, needs)


def state_of(
    layout: Layout, service: str, environment: str, key: str, needs: tuple[Need, ...]
) -> FlagState:
    """How a key stands in an environment: as it is set, else as the code takes its absence."""
    found = _entry(layout, service, environment, key, needs)
    if not known(layout, service, environment):
        return FlagState(environment=environment, state="unknown", why="not read")
    if found is not None and found.given:
        return FlagState(environment=environment, state=found.state, why="set")
    if built(layout, service, key):
        return FlagState(environment=environment, state="unknown", why="set by the image")
    defaults = {n.default for n in needs}
    default = needs[0].default if len(defaults) == 1 else None
    if default is not None:
        return FlagState(environment=environment, state=default, why="code default")
    return FlagState(environment=environment, state="unknown", why="not set")


def _entry(
    layout: Layout, service: str, environment: str, key: str, needs: tuple[Need, ...]
) -> Entry | None:
    found = (entry(layout, service, environment, n) for n in needs)
    plain = effective(layout, service, environment).get(key)
    return next((e for e in found if e is not None), plain)


def _names_of(depends: Depends) -> Iterator[str]:
    yield from sorted(depends.names)


def _decorated_at(thing: Thing, line: int) -> bool:
    return any(d.lineno == line for d in thing.node.decorator_list)
