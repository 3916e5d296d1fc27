"""What a model diff, the revisions and a live catalogue say of one another."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from rulezero_policies.compared import differences, label
from rulezero_policies.operations import Column, Operation
from rulezero_policies.parity.schema import (
    Brings,
    Drift,
    Extra,
    ExtraKind,
    History,
    Made,
    Missing,
    What,
)
from rulezero_policies.rehearsal import Difference, Thing, ThingKind
from rulezero_policies.text import visible

Pair = tuple[str, str, str]
"""Schema ("" for the default one), table and column, without regard to case."""

Steps = Sequence[tuple[str, Sequence[Operation]]]
"""Revisions that wait, in order, each with what it does."""

COMPARED: frozenset[ThingKind] = frozenset(
    {"table", "column", "constraint", "index", "enum", "type", "view", "trigger", "function"}
)
"""What is compared: rights, comments, extensions and counters are a server's own affair."""

_BY_NAME: frozenset[ThingKind] = frozenset({"table", "column"})

_SAFE_FORM = (
    "add it nullable, fill the old rows, and set NOT NULL in a later revision; or give it a "
    "server_default"
)

_HARM = (
    "it is NOT NULL without a default, and the models do not fill it: their inserts fail until it "
    "is nullable or has a default"
)

_DEFINITION = 160
"""Characters of a definition that are shown."""


def _pair(schema: str | None, table: str | None, column: str) -> Pair:
    return (schema or "").lower(), (table or "").lower(), column.lower()


def _columns(operations: Iterable[Operation]) -> Iterator[tuple[Operation, Column]]:
    """The columns that come to be, each with the step that makes it."""
    for step in operations:
        if step.kind == "create_table":
            yield from ((step, column) for column in step.columns)
        elif step.kind == "add_column" and step.column is not None:
            yield step, step.column


def pairs(things: Iterable[Thing]) -> frozenset[Pair]:
    """The columns of a catalogue."""
    return frozenset(_pair(t.schema, t.table, t.name) for t in things if t.kind == "column")


def missing(
    operations: Sequence[Operation], waiting: Steps, history: History, *, readable: bool
) -> tuple[Missing, ...]:
    """The columns that the models have and the database has not.

    Args:
        operations: What autogenerate would write.
        waiting: The revisions that wait, as they were read.
        history: What the revisions make, as far as it is known.
        readable: Whether all that waits was understood as it was read.
    """
    brought = {
        _pair(s.schema, s.table, c.name): (revision, c)
        for revision, steps in waiting
        for s, c in _columns(steps)
    }
    found = ((s, c, _pair(s.schema, s.table, c.name)) for s, c in _columns(operations))
    return tuple(
        _missing(
            step,
            *brought.get(pair, (None, column)),
            _brings(pair, history, waits=pair in brought, readable=readable),
        )
        for step, column, pair in found
    )


def _missing(step: Operation, revision: str | None, made: Column, how: Brings) -> Missing:
    whole = step.kind == "create_table"
    return Missing(
        table=step.table or "",
        column=made.name,
        type=made.type,
        schema=step.schema,
        whole=whole,
        brought=how,
        revision=revision if how == "waiting" else None,
        safe_form="" if whole or _is_safe(made) else _SAFE_FORM,
    )


def _brings(pair: Pair, history: History, *, waits: bool, readable: bool) -> Brings:
    if history.at is not None and pair in pairs(history.at):
        return "applied"
    if waits or (history.head is not None and pair in pairs(history.head)):
        return "waiting"
    return "none" if readable or history.head is not None else "unknown"


def _is_safe(column: Column) -> bool:
    """Whether rows that are there already can get it; a default in Python gives them nothing."""
    return column.nullable or column.server_default is not None or column.generated


def without_drops(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """What is lacking or different, without what autogenerate would drop."""
    return tuple(o for o in operations if not o.kind.startswith("drop_"))


def extras(operations: Sequence[Operation], history: History) -> tuple[Extra, ...]:
    """What the database has and no model; what comes back under the same name is a change."""
    made = {(o.qualified, _part(o)[1]) for o in operations if o.kind.startswith("create_")}
    found = (_extra(o, history) for o in operations if o.kind.startswith("drop_"))
    return tuple(e for e in found if e.kind == "table" or (_qualified(e), e.name) not in made)


def _qualified(extra: Extra) -> str:
    return f"{extra.schema}.{extra.table}" if extra.schema else extra.table


def _part(step: Operation) -> tuple[ExtraKind, str]:
    """What a step is about, within its table."""
    if step.column is not None:
        return "column", step.column.name
    if step.index is not None:
        return "index", step.index.name or ""
    if step.constraint is not None:
        return "constraint", step.constraint.name or f"({', '.join(step.constraint.columns)})"
    return "table", step.table or ""


def _extra(step: Operation, history: History) -> Extra:
    kind, name = _part(step)
    at, head = (_has(things, kind, name, step) for things in (history.at, history.head))
    made: Made = "unknown" if at is None else "by a revision" if at else "by hand"
    return Extra(
        kind=kind,
        subject=step.qualified if kind == "table" else f"{kind} {step.qualified}.{name}",
        table=step.table or "",
        name="" if kind == "table" else name,
        schema=step.schema,
        made=made,
        goes=at is True and head is False,
        harm=_HARM if step.column is not None and _refuses(step.column) else "",
    )


def _has(
    things: Sequence[Thing] | None, kind: ExtraKind, name: str, step: Operation
) -> bool | None:
    """Whether a catalogue has it; None where that catalogue is not known."""
    if things is None:
        return None
    table = "" if kind == "table" else step.table or ""
    wanted = (kind, _pair(step.schema, table, name))
    return any((t.kind, _pair(t.schema, t.table, t.name)) == wanted for t in things)


def _refuses(column: Column) -> bool:
    return not (_is_safe(column) or column.primary_key)


_Told = Callable[[What, str, str], str]
"""From how two catalogues differ, and a definition in each, to words."""


def _by_the_revisions(what: What, was: str, now: str) -> str:
    return {
        "missing": "the applied revisions make it, and the database has none",
        "added": "no applied revision made it",
        "changed": f"the applied revisions make {was}, the database has {now}",
    }[what]


def drift(history: History, live: Sequence[Thing] | None) -> tuple[Drift, ...] | None:
    """What is not as the applied revisions make it; None where either side is not known."""
    if history.at is None or live is None:
        return None
    found = _unlike(history.at, live, _by_the_revisions)
    return tuple(_meets(one, history.head or ()) for one in found)


def _meets(drift: Drift, head: Sequence[Thing]) -> Drift:
    """What was made by hand is in the way of a revision that makes it."""
    key = (drift.kind, drift.schema, drift.table, drift.name)
    if drift.what != "added" or key not in {(t.kind, t.schema, t.table, t.name) for t in head}:
        return drift
    text = f"{drift.text}, and one that waits makes it, too: it fails unless it looks first"
    return replace(drift, text=text, in_the_way=True)


def unlike(
    other: Sequence[Thing], live: Sequence[Thing], environment: str, *, by_name: bool
) -> tuple[Drift, ...]:
    """What production has not as another environment has it.

    Args:
        other: The other environment's catalogue.
        live: Production's.
        environment: What the other one is called.
        by_name: Whether only the names of tables and columns can be compared.
    """

    def told(what: What, was: str, now: str) -> str:
        return {
            "missing": f"{environment} has it, production has not",
            "added": f"production has it, {environment} has not",
            "changed": f"{environment} has {was}, production has {now}",
        }[what]

    if by_name:
        return _unlike(_names(other), _names(live), told)
    return _unlike(other, live, told)


def _names(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(
        Thing(kind=t.kind, name=t.name.lower(), table=t.table.lower(), definition="")
        for t in things
        if t.kind in _BY_NAME and t.schema is None
    )


def _unlike(before: Sequence[Thing], after: Sequence[Thing], told: _Told) -> tuple[Drift, ...]:
    was, now = (tuple(t for t in many if t.kind in COMPARED) for many in (before, after))
    return tuple(
        Drift(
            what=d.what,
            kind=d.kind,
            name=d.name,
            table=d.table,
            schema=d.schema,
            text=_text(d, told(d.what, _definition(d, was), _definition(d, now))),
        )
        for d in differences(was, now)
        if d.what != "moved"
    )


def _text(d: Difference, said: str) -> str:
    thing = Thing(kind=d.kind, name=d.name, table=d.table, schema=d.schema, definition="")
    return visible(f"{label(thing)}: {said}", limit=600)


def _definition(d: Difference, things: Iterable[Thing]) -> str:
    found = (
        t.definition
        for t in things
        if (t.kind, t.schema, t.table, t.name) == (d.kind, d.schema, d.table, d.name)
    )
    text = " ".join(next(found, "").split())
    return text if len(text) <= _DEFINITION else f"{text[:_DEFINITION]}…"
