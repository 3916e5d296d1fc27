"""One service's code with everything that was found out about it, and what production gives it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from rulezero_policies.parity.carriers import Carriers, Depends
from rulezero_policies.parity.conditions import Conditions
from rulezero_policies.parity.effective import effective, is_known
from rulezero_policies.parity.needs import Code, Reading, keys, looked_into, reading
from rulezero_policies.parity.reads import is_boolean
from rulezero_policies.parity.things import Things
from rulezero_policies.parity.values import Entry, Layout, Need
from rulezero_policies.parity.ways import STARTS, Ways
from rulezero_policies.references import Sources


@dataclass(frozen=True, kw_only=True, eq=False)
class Walked:
    """A service's code, read once and asked often."""

    service: str
    sources: Sources
    code: Code

    @cached_property
    def reading(self) -> Reading:
        """What it needs, each with the keys that decide if its place is reached."""
        plain = reading(self.code)
        conditions = Conditions(self.code.program, self.carriers)
        under: dict[tuple[str, int], set[str]] = {}
        for one in self.code.reads:
            place = (one.file.path, one.node.lineno)
            found = conditions.around(one.file, one.node, "definition")
            under.setdefault(place, set()).update(k for c in found for k in c.depends.keys)
        return replace(plain, needs=tuple(_under(n, under) for n in plain.needs))

    @cached_property
    def carriers(self) -> Carriers:
        """By which names it reaches its keys."""
        return Carriers(self.code)

    @cached_property
    def things(self) -> Things:
        """What it offers."""
        return Things(self.code.program)

    @cached_property
    def ways(self) -> Ways:
        """The ways to that."""
        return Ways(self.code.program, self.carriers, self.things)

    @cached_property
    def booleans(self) -> frozenset[str]:
        """Keys that the code itself takes as on or off."""
        return frozenset(keys(r for r in self.code.reads if is_boolean(r)))

    @cached_property
    def at_start(self) -> frozenset[tuple[str, int]]:
        """The places that read a key as the code is loaded, or as the application is made."""
        held = ((r, r.file.function(r.node)) for r in self.code.reads)
        plain = {(r.file.path, r.node.lineno) for r, f in held if f is None or f.name in STARTS}
        return frozenset(plain | {(n.path, n.line) for f in self.code.fields for n in f.needs})

    def needs_of(self, key: str) -> tuple[Need, ...]:
        """The places that read a key."""
        return tuple(n for n in self.reading.needs if n.key == key)

    def tests(self) -> Iterator[tuple[str, int, str | None, Depends]]:
        """Every test of a setting: file, line, the function that it stands in, and of what."""
        for file in self.code.program.files:
            for node in file.nodes:
                match node:
                    case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                        depends = self.carriers.told(file, test)
                        if depends:
                            yield file.path, test.lineno, file.scope_name(node), depends
                    case _:
                        pass


def _under(need: Need, under: dict[tuple[str, int], set[str]]) -> Need:
    keys = under.get((need.path, need.line), set()) - {need.key}
    return replace(need, under=tuple(sorted(keys))) if keys else need


def walked(service: str, sources: Sources) -> Walked:
    """Read the code of a service."""
    return Walked(service=service, sources=sources, code=looked_into(service, sources))


def entry(layout: Layout, service: str, environment: str, need: Need) -> Entry | None:
    """What an environment sets a needed key to, with what does as well; None: nothing."""
    seen = effective(layout, service, environment)
    for key in (need.key, *need.instead):
        if key in seen:
            return seen[key]
        if need.any_case:
            lowered = {k.lower(): e for k, e in seen.items()}
            if key.lower() in lowered:
                return lowered[key.lower()]
    return None


def built(layout: Layout, service: str, key: str) -> bool:
    """Whether the service's image sets a key: to what, is not known."""
    return (service, key) in layout.built or ("", key) in layout.built


def known(layout: Layout, service: str, environment: str) -> bool:
    """Whether all of an environment's settings could be read."""
    return is_known(layout, service, environment)
