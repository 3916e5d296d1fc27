"""Fallback stores: whether each still satisfies the Store interface and mirrors the schema."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rulezero_policies.parity.storecode import Code
from rulezero_policies.parity.stores import Column, RecordField, guessed, mirrored
from rulezero_policies.parity.storeshape import Break, ClassShape, compared
from rulezero_policies.parity.values import StoreRule
from rulezero_tools.parity.ports import Deployment

Exercised = Literal["same", "different", "failed", "not exercised"]


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What the same operations on both stores showed; `why` where they did not get that far."""

    outcome: Exercised
    differences: tuple[str, ...] = ()
    why: str | None = None


NOT_DECLARED = Exercise(outcome="not exercised", why="no exercise is declared")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Something of a service as its own Python has it; `error` is why that cannot be known."""

    shape: ClassShape | None = None
    fields: tuple[RecordField, ...] | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoreCheck:
    """What was found of one fallback store; `guessed` is whether nobody declared it.

    `breaks` fail parity; `notes` may be meant so, or could not be known.
    """

    name: str
    service: str
    interface: str | None
    store: str | None
    fallback: str
    guessed: bool
    breaks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exercise: Exercise = NOT_DECLARED

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this fails parity; empty where it does not."""
        head = f"store {self.name} ({self.service})"
        found = [f"{head}: {text}" for text in self.breaks]
        exercised = self.exercise
        if exercised.outcome == "different":
            said = "; ".join(exercised.differences)
            found.append(f"{head}: the fallback gives other answers than the store: {said}")
        elif exercised.outcome != "same" and exercised != NOT_DECLARED:
            found.append(f"{head}: the exercise shows nothing: {exercised.why}")
        return tuple(found)


class StoreProbe(Protocol):
    """Looks at stores in the service's own Python; raises `ProjectError` only."""

    def seen(self, rule: StoreRule) -> Mapping[str, Seen]:
        """The classes and records that a rule names, by "module:Class", imported read-only."""
        ...

    def tables(self) -> Mapping[str, tuple[Column, ...]]:
        """The tables of the models on main, by name."""
        ...

    def exercise(self, rules: Sequence[StoreRule]) -> Mapping[str, Exercise]:
        """The declared exercises of these rules, by the rules' names, on an empty shadow."""
        ...


def checked(deployment: Deployment, probe: StoreProbe) -> tuple[StoreCheck, ...]:
    """Every fallback store that is declared, or known by its name, held against its interface.

    Raises:
        ProjectError: The project cannot be read.
    """
    declared = deployment.config().stores
    code = {
        service.name: Code(deployment.code(service), service.folder)
        for service in deployment.layout().services
    }
    found = [rule for name, of in code.items() for rule in guessed(of, name, declared)]
    exercised = _exercised(probe, declared)
    tables: Mapping[str, tuple[Column, ...]] = {}
    if any(rule.records for rule in declared):
        tables = probe.tables()
    return (
        *(_declared(rule, code, probe, tables, exercised) for rule in declared),
        *(_guessed(rule, code[rule.service]) for rule in found),
    )


def _exercised(probe: StoreProbe, rules: Iterable[StoreRule]) -> Mapping[str, Exercise]:
    able = [rule for rule in rules if rule.exercise and rule.store]
    return probe.exercise(able) if able else {}


def _declared(
    rule: StoreRule,
    code: Mapping[str, Code],
    probe: StoreProbe,
    tables: Mapping[str, tuple[Column, ...]],
    exercised: Mapping[str, Exercise],
) -> StoreCheck:
    if rule.service not in code:
        return _made(rule, [Break(member="service", says=f"there is no service {rule.service!r}")])
    seen = probe.seen(rule)
    return _made(
        rule,
        [*_imported(seen), *_kept(rule, seen, code[rule.service]), *_recorded(rule, seen, tables)],
        exercise=exercised.get(rule.name, _without(rule)),
    )


def _without(rule: StoreRule) -> Exercise:
    if rule.exercise and not rule.store:
        why = "no store is declared to compare it with"
        return Exercise(outcome="not exercised", why=why)
    return NOT_DECLARED


def _imported(seen: Mapping[str, Seen]) -> Iterator[Break]:
    for place, one in seen.items():
        if one.error is not None:
            yield Break(member=place, says=f"cannot be looked at: {one.error}")


def _kept(rule: StoreRule, seen: Mapping[str, Seen], code: Code) -> Iterator[Break]:
    """The fallback against the interface, and the store itself; without one, against the store."""
    wanted = rule.interface or rule.store
    interface = _shape(wanted, seen) if wanted else None
    fallback = _shape(rule.fallback, seen)
    if fallback is not None and not fallback.made:
        says = "cannot be made without arguments, or is abstract"
        yield Break(member=rule.fallback, says=says, sure=False)
    for place in (rule.fallback, rule.store if rule.interface else None):
        shape = _shape(place, seen) if place else None
        if interface is not None and shape is not None:
            yield from _named(place or "", compared(interface, _with_values(shape, place, code)))


def _with_values(shape: ClassShape, place: str | None, code: Code) -> ClassShape:
    """What objects have and no class does stands in the source alone."""
    found = code.named(place or "")
    said = code.shape(found).methods if found else ()
    values = [m for m in said if m.form == "value" and m.name not in shape.by_name]
    return ClassShape(
        name=shape.name, methods=(*shape.methods, *values), whole=shape.whole, made=shape.made
    )


def _shape(place: str | None, seen: Mapping[str, Seen]) -> ClassShape | None:
    found = seen.get(place or "")
    return found.shape if found else None


def _recorded(
    rule: StoreRule, seen: Mapping[str, Seen], tables: Mapping[str, tuple[Column, ...]]
) -> Iterator[Break]:
    for record, table in rule.records:
        fields = seen[record].fields if record in seen else None
        if table not in tables:
            yield Break(member=record, says=f"the models have no table {table!r}")
        elif fields is not None:
            yield from _named(f"{record} ({table})", mirrored(fields, tables[table]))


def _named(place: str, breaks: Iterable[Break]) -> Iterator[Break]:
    for one in breaks:
        yield Break(member=f"{place}.{one.member}", says=one.says, sure=one.sure)


def _guessed(rule: StoreRule, code: Code) -> StoreCheck:
    """From source alone: nothing is imported because of how it is called."""
    wanted, mine = code.named(rule.interface or ""), code.named(rule.fallback)
    if wanted is None or mine is None:
        return _made(rule, [], guess=True)
    breaks = compared(code.shape(wanted), code.shape(mine))
    inherits = wanted.name in {one.name for one in code.lineage(mine) if one is not None}
    sure = [Break(member=b.member, says=b.says, sure=b.sure and inherits) for b in breaks]
    return _made(rule, _named(rule.fallback, sure), guess=True)


def _made(
    rule: StoreRule,
    breaks: Iterable[Break],
    *,
    guess: bool = False,
    exercise: Exercise = NOT_DECLARED,
) -> StoreCheck:
    every = tuple(breaks)
    return StoreCheck(
        name=rule.name,
        service=rule.service,
        interface=rule.interface,
        store=rule.store,
        fallback=rule.fallback,
        guessed=guess,
        breaks=tuple(f"{b.member} {b.says}" for b in every if b.sure),
        notes=tuple(f"{b.member} {b.says}" for b in every if not b.sure),
        exercise=exercise,
    )
