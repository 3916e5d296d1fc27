"""If the code is there, find the switch: what keeps a function from being seen in production."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.parity.barriers import Barrier, Flags, barriers
from rulezero_policies.parity.flags import is_flag
from rulezero_policies.parity.pyfile import PyFile
from rulezero_policies.parity.reached import Reached, reached
from rulezero_policies.parity.search import found as found_in
from rulezero_policies.parity.search import scripts
from rulezero_policies.parity.things import Kind, Thing
from rulezero_policies.parity.values import FlagRule, Layout, Need
from rulezero_policies.parity.walked import Walked, built, entry, known
from rulezero_policies.parity.ways import Way
from rulezero_policies.references import ModelClass

LackKind = Literal["merge", "schema", "key", "flag", "code"]

LACKS: tuple[LackKind, ...] = ("merge", "schema", "key", "flag", "code")
"""In the order to switch them: code that asks for a column must find it there."""


_NAMED = 3
"""Files that could not be read that are named."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Where something is defined. `text` is its first lines; `on_main` None: not known."""

    kind: Kind
    name: str
    label: str
    endpoint: str
    service: str
    path: str
    line: int
    text: str
    on_main: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Lack:
    """One thing that production lacks: why it matters, and what to do."""

    kind: LackKind
    name: str
    service: str
    why: str
    do: str


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What stands between the code and its being seen in production.

    `needs` are the keys that it reads, `whole` the tables of which it reads whole rows, `columns`
    pairs of table and column. `lacks` are in the order to mend them. `unknown` is what could not
    be told: with any of it, nothing lacking does not mean that nothing does.
    """

    name: str
    definitions: tuple[Definition, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    needs: tuple[Need, ...] = ()
    tables: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    lacks: tuple[Lack, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def visible(self) -> bool | None:
        """Whether it is to be seen in production; None: not known."""
        if self.lacks or not (self.definitions or self.barriers):
            return False
        return None if self.unknown else True


@dataclass(frozen=True, kw_only=True)
class Production:
    """What production is known to have: its settings, and the pairs that its schema lacks.

    A pair's column is None where the whole table is missing. `lacking` is None where the schema
    was not looked at.
    """

    layout: Layout
    rule: FlagRule
    models: tuple[ModelClass, ...] = ()
    lacking: frozenset[tuple[str, str | None]] | None = None


def find_switch(name: str, code: Iterable[Walked], production: Production) -> Switch:
    """What keeps `name` from being seen: a function, route, endpoint, command, class or flag."""
    found = Switch(name=name)
    for one in code:
        things = found_in(one, name)
        meant = things or _gated(one, name)
        for thing in meant:
            found = _joined(found, _thing(one, thing, production))
        if not meant:
            found = _joined(found, _elsewhere(one, name, production))
    if not found.definitions and not found.barriers:
        nowhere = f"nothing called {name} was found in the code"
        found = replace(found, unknown=(*found.unknown, nowhere))
    order = sorted(found.lacks, key=lambda k: LACKS.index(k.kind))
    return replace(found, lacks=tuple(order))


def with_main(switch: Switch, answers: Mapping[tuple[str, int], bool | None]) -> Switch:
    """`switch` with what the main branch has; by the path and line of a definition."""
    definitions = tuple(
        replace(d, on_main=answers.get((d.path, d.line))) for d in switch.definitions
    )
    missing = [d for d in definitions if d.on_main is False]
    merge = tuple(
        Lack(
            kind="merge",
            name=d.name,
            service=d.service,
            why=f"{d.path}:{d.line} is not on the main branch as it stands here",
            do="Merge it first.",
        )
        for d in missing
    )
    silent = any(d.on_main is None for d in definitions)
    unknown = ("whether the main branch has it",) if silent else ()
    return replace(
        switch,
        definitions=definitions,
        lacks=(*dict.fromkeys(merge), *switch.lacks),
        unknown=(*switch.unknown, *unknown),
    )


def _joined(one: Switch, other: Switch) -> Switch:
    return Switch(
        name=one.name,
        definitions=tuple(dict.fromkeys((*one.definitions, *other.definitions))),
        barriers=tuple(dict.fromkeys((*one.barriers, *other.barriers))),
        needs=tuple(dict.fromkeys((*one.needs, *other.needs))),
        tables=tuple(dict.fromkeys((*one.tables, *other.tables))),
        columns=tuple(dict.fromkeys((*one.columns, *other.columns))),
        lacks=tuple(dict.fromkeys((*one.lacks, *other.lacks))),
        unknown=tuple(dict.fromkeys((*one.unknown, *other.unknown))),
    )


def _gated(code: Walked, name: str) -> list[Thing]:
    """What is registered only as a flag says."""
    return [
        t
        for t in code.things.every
        if t.kind in {"route", "command"}
        and any(name in c.depends.names for c in code.ways.to(t).conditions)
    ]


def _elsewhere(code: Walked, name: str, production: Production) -> Switch:
    """What is known of a name that is no function of Python's: a flag, or a script's."""
    tests = [(p, n) for p, n, _, depends in code.tests() if name in depends.names]
    said = [(n.path, n.line) for n in code.reading.needs if n.key == name]
    flag = Flags(code, production.layout).alone(name, [*tests, *said][:1])
    places = [f"{path}:{line}" for path, line in scripts(code, name)]
    unknown = tuple(
        f"{name} is defined at {place}: what is on the way to it was not read (a script)"
        for place in places
    )
    lacks = tuple(_closed(b, production.rule) for b in flag if b.closed)
    return Switch(name=name, barriers=tuple(flag), lacks=lacks, unknown=unknown)


def _thing(code: Walked, thing: Thing, production: Production) -> Switch:
    way = code.ways.to(thing)
    uses = reached(code, (thing.file, thing.node), production.models)
    met = barriers(code, way.conditions, production.layout)
    needs = _needs(code, thing, way, uses)
    unknown = (*way.unknown, *(b.unsure for b in met if b.closed is None))
    closed = {n for b in met if b.closed for n in b.names}
    lacks = (
        *_schema(code, uses, production),
        *(k for k in _keys(code, needs, production.layout) if k.name not in closed),
        *(_closed(b, production.rule) for b in met if b.closed),
        *(_never(code, thing, why) for why in way.never),
    )
    return Switch(
        name=thing.name,
        definitions=(_definition(code, thing),),
        barriers=met,
        needs=needs,
        tables=tuple(sorted(uses.tables)),
        columns=tuple(sorted(uses.columns)),
        lacks=lacks,
        unknown=(*unknown, *_blind(code, needs, uses, production)),
    )


def _definition(code: Walked, thing: Thing) -> Definition:
    return Definition(
        kind=thing.kind,
        name=thing.name,
        label=thing.label,
        endpoint=thing.endpoint,
        service=code.service,
        path=thing.file.path,
        line=thing.node.lineno,
        text=_first_lines(code, thing.file, thing),
    )


def _first_lines(code: Walked, file: PyFile, thing: Thing) -> str:
    """A definition's decorators and signature, as they are written."""
    text = next(s.text for s in code.sources.files if s.path == file.path).splitlines()
    above = [d.lineno for d in thing.node.decorator_list]
    below = max(thing.node.lineno, thing.node.body[0].lineno - 1)
    return "\n".join(text[min([thing.node.lineno, *above]) - 1 : below])


def _needs(code: Walked, thing: Thing, way: Way, uses: Reached) -> tuple[Need, ...]:
    """The keys that it reads, and those without which what it stands in cannot be loaded."""
    places = (thing.file.path, thing.home.path, *(c.path for c in way.conditions), *uses.paths)
    loaded = code.ways.loaded(places)
    asked = {n for c in way.conditions for n in c.depends.keys}
    return tuple(
        n
        for n in code.reading.needs
        if n.key in uses.keys | asked
        or (n.required and not n.under and n.path in loaded and (n.path, n.line) in code.at_start)
    )


def _schema(code: Walked, uses: Reached, production: Production) -> list[Lack]:
    lacking = production.lacking or frozenset()
    return [
        Lack(
            kind="schema",
            name=f"{table}.{column}" if column else table,
            service=code.service,
            why=_asked(table, column, uses),
            do="Apply the revision that brings it; where none does, `generate` it and `review` it.",
        )
        for table, column in sorted(lacking, key=lambda pair: (pair[0], pair[1] or ""))
        if table in (uses.tables if column is None else uses.whole)
        or (table, column) in uses.columns
    ]


def _asked(table: str, column: str | None, uses: Reached) -> str:
    if column is None:
        return f"the code uses the table {table}, which production's database does not have"
    named = (table, column) in uses.columns
    how = "names it" if named else f"reads whole rows of {table}, this column with them"
    return f"production's database does not have it, and the code {how}"


def _keys(code: Walked, needs: Iterable[Need], layout: Layout) -> list[Lack]:
    if not known(layout, code.service, layout.production):
        return []
    found: dict[str, Lack] = {}
    for need in needs:
        set_to = entry(layout, code.service, layout.production, need)
        hollow = set_to is not None and set_to.shape in {"empty", "placeholder"}
        absent = set_to is None and not built(layout, code.service, need.key)
        if need.required and (absent or hollow):
            state = "holds no value there" if hollow else "is not set there"
            found.setdefault(
                need.key,
                Lack(
                    kind="key",
                    name=need.key,
                    service=code.service,
                    why=f"{need.path}:{need.line} fails without it, and it {state}",
                    do=f"Set {need.key} for {code.service} in {layout.production}.",
                ),
            )
    return list(found.values())


def _closed(barrier: Barrier, rule: FlagRule) -> Lack:
    name = " or ".join(barrier.names)
    flag = barrier.fixed or any(is_flag(rule, n) for n in barrier.names) or barrier.switched
    kind: LackKind = "code" if barrier.fixed else "flag" if flag else "key"
    turn = "Turn it " + barrier.when if flag else f"Set {name}"
    where = f" in the code ({barrier.fixed})" if barrier.fixed else ""
    return Lack(
        kind=kind,
        name=name,
        service=barrier.service,
        why=f"{barrier.path}:{barrier.line} ({barrier.through}) asks for it to be "
        f"{barrier.when}, and it is {barrier.state}: {barrier.why}",
        do=f"{turn}{where or ' in production'}.",
    )


def _never(code: Walked, thing: Thing, why: str) -> Lack:
    return Lack(
        kind="code",
        name=thing.label or thing.name,
        service=code.service,
        why=why,
        do="Register it where the application is made.",
    )


def _blind(
    code: Walked, needs: tuple[Need, ...], uses: Reached, production: Production
) -> list[str]:
    """What could not be looked at."""
    found: list[str] = []
    layout = production.layout
    if unread := [s.path for s in code.code.program.unread]:
        shown = ", ".join(unread[:_NAMED]) + (", …" if len(unread) > _NAMED else "")
        found.append(f"{len(unread)} files of {code.service} could not be parsed: {shown}")
    if needs and not known(layout, code.service, layout.production):
        found.append(f"what {code.service} is set to in {layout.production}: not all could be read")
    if uses.tables and production.lacking is None:
        found.append("production's schema was not looked at")
    return found
