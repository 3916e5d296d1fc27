"""Two catalogues held against each other: what differs, each thing once, in words."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from rulezero_policies.rehearsal import Difference, Thing, ThingKind
from rulezero_policies.steps import mentions
from rulezero_policies.text import visible

What = Literal["missing", "added", "changed", "moved"]
Key = tuple[ThingKind, str, str, str]
"""What names a thing: kind, schema, table and name ("" for none)."""

_WITH_A_COLUMN: frozenset[ThingKind] = frozenset(
    {"constraint", "index", "sequence", "comment", "privilege"}
)
"""What goes with a column, where it names it."""

_TELLS = {"missing": "is missing", "added": "was not there before"}

DEFINITION = 240
"""Characters of a definition that are shown."""


def differences(before: Sequence[Thing], after: Sequence[Thing]) -> tuple[Difference, ...]:
    """What of `before` is no longer so in `after`, and what is new there.

    What goes with another thing is told with that alone: the columns of a table that is gone, the
    index of a column that is gone.
    """
    old, new = _by_key(before), _by_key(after)
    changed, gone, made = list[Difference](), list[Thing](), list[Thing]()
    for key in dict.fromkeys((*old, *new)):
        lost, added = _unlike(old.get(key, ()), new.get(key, ()))
        if len(lost) == len(added) == 1:
            changed.append(_changed(lost[0], added[0]))
        else:
            gone += lost
            made += added
    found = (
        *(_one_sided("missing", t) for t in _leading(gone)),
        *(_one_sided("added", t) for t in _leading(made)),
        *changed,
        *_moves(before, after),
    )
    return tuple(sorted(found, key=lambda d: (d.schema or "", d.table or d.name)))


def label(thing: Thing) -> str:
    """What a thing is called among people."""
    schema = f"{thing.schema}." if thing.schema else ""
    if thing.kind == "column":
        return f"column {schema}{thing.table}.{thing.name}"
    if thing.kind == "table":
        return f"table {schema}{thing.name}"
    on = f" on {schema}{thing.table}" if thing.table and thing.table != thing.name else ""
    own = "" if on else schema
    return f"{thing.kind} {own}{thing.name}{on}"


def _by_key(things: Iterable[Thing]) -> dict[Key, tuple[Thing, ...]]:
    found = dict[Key, tuple[Thing, ...]]()
    for thing in things:
        key = (thing.kind, thing.schema or "", thing.table, thing.name)
        found[key] = (*found.get(key, ()), thing)
    return found


def _unlike(
    old: Sequence[Thing], new: Sequence[Thing]
) -> tuple[tuple[Thing, ...], tuple[Thing, ...]]:
    """Those of each that have no equal among the other; several may share a name, or have none."""
    stays = Counter(t.definition for t in old) & Counter(t.definition for t in new)
    return tuple(_without(old, stays)), tuple(_without(new, stays))


def _without(things: Iterable[Thing], stays: Counter[str]) -> Iterator[Thing]:
    left = stays.copy()
    for thing in things:
        if left[thing.definition] > 0:
            left[thing.definition] -= 1
        else:
            yield thing


def _leading(things: Sequence[Thing]) -> Iterator[Thing]:
    """Those that do not go with another of them."""
    tables = {(t.schema, t.name) for t in things if t.kind in {"table", "view"}}
    schemas = {t.name for t in things if t.kind == "schema"}
    columns = [t for t in things if t.kind == "column"]
    constraints = {(t.schema, t.table, t.name) for t in things if t.kind == "constraint"}
    for thing in things:
        within = (thing.schema, thing.table) in tables
        inside = thing.kind != "schema" and thing.schema in schemas
        backs = thing.kind == "index" and (thing.schema, thing.table, thing.name) in constraints
        if not (within or inside or backs or any(_goes_with(thing, c) for c in columns)):
            yield thing


def _goes_with(thing: Thing, column: Thing) -> bool:
    same = (thing.schema, thing.table) == (column.schema, column.table)
    return (
        same
        and thing.kind in _WITH_A_COLUMN
        and mentions(f"{thing.name} {thing.definition}", column.name)
    )


def _difference(what: What, thing: Thing, text: str) -> Difference:
    return Difference(
        what=what,
        kind=thing.kind,
        name=thing.name,
        table=thing.table,
        schema=thing.schema,
        text=visible(" ".join(text.split()), limit=3 * DEFINITION),
    )


def _one_sided(what: Literal["missing", "added"], thing: Thing) -> Difference:
    return _difference(what, thing, f"{label(thing)} {_TELLS[what]}")


def _changed(old: Thing, new: Thing) -> Difference:
    was, now = _shown(old.definition), _shown(new.definition)
    return _difference("changed", new, f"{label(new)}: {was} became {now}")


def _shown(definition: str) -> str:
    text = " ".join(definition.split()) or "(none)"
    return text if len(text) <= DEFINITION else f"{text[:DEFINITION]}…"


def _moves(before: Iterable[Thing], after: Iterable[Thing]) -> Iterator[Difference]:
    old, new = _places(before), _places(after)
    for table in old.keys() & new.keys():
        was, now = old[table], new[table]
        common = sorted(was.keys() & now.keys(), key=now.__getitem__)
        stays = _longest_rise([was[name][0] for name in common])
        for n, name in enumerate(common):
            if n not in stays:
                (rank, _), (place, thing) = was[name], now[name]
                text = f"{label(thing)} is {_ordinal(place)}, was {_ordinal(rank)}"
                yield _difference("moved", thing, text)


Places = dict[tuple[str | None, str], dict[str, tuple[int, Thing]]]


def _places(things: Iterable[Thing]) -> Places:
    """Each table's columns with their place, counted from one without the gaps of dropped ones."""
    placed = [t for t in things if t.kind == "column" and t.position is not None]
    tables: Places = {}
    for thing in sorted(placed, key=lambda t: t.position or 0):
        columns = tables.setdefault((thing.schema, thing.table), {})
        columns[thing.name] = (len(columns) + 1, thing)
    return tables


def _longest_rise(numbers: Sequence[int]) -> frozenset[int]:
    """The places of a longest rising part: what is in it has not moved against the rest.

    Of two that are as long it is the one that ends first: what was added again comes last.
    """
    tails, ends, before = list[int](), list[int](), list[int]()
    end = -1
    for n, number in enumerate(numbers):
        at = bisect_left(tails, number)
        end = n if at == len(tails) else end
        tails[at : at + 1], ends[at : at + 1] = [number], [n]
        before.append(ends[at - 1] if at else -1)
    kept = set[int]()
    while end >= 0:
        kept.add(end)
        end = before[end]
    return frozenset(kept)


def _ordinal(number: int) -> str:
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
