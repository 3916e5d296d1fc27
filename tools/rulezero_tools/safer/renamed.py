"""A column under another name: both names are there, and written together, until code moved on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rulezero_policies.operations import Column
from rulezero_tools.safer import twoway
from rulezero_tools.safer.parts import MYSQL, Part, Place
from rulezero_tools.safer.required import plain
from rulezero_tools.safer.retyped import drop, filled, patient, proof
from rulezero_tools.safer.twins import Twin, built, twin, unbuilt
from rulezero_tools.shapes import Hold

Kept = Sequence[tuple[Hold, str]]
"""What rests on the column and stays, with how it is called on the new one."""


def rename(place: Place, was: Column, now: Column, kept: Kept = ()) -> Iterator[Part]:
    """The phases of another name for a column of a live table.

    Raises:
        NoSequence: More than the name changes, or something rests on the column.
    """
    place.movable()
    default = _only_the_name(place, was, now)
    new, old = place.free(now.name), place.column
    made = [(twin(place, h, new, f"{h.name}_new"), name) for h, name in kept]
    same = f"COALESCE({place.quoted(old)} = {place.quoted(new)}, "
    same += f"{place.quoted(old)} IS NULL AND {place.quoted(new)} IS NULL)"
    add = f"ALTER TABLE {place.table} ADD COLUMN {place.quoted(new)} {was.type}"
    # Given with the column, the default would be in the rows that are there.
    given = _default(place, new, default)
    yield Part(
        phase="expand",
        says=f"{new} stands beside {old}; whichever of them is written, a trigger writes the other",
        upgrade=patient(
            place, add, *given, *twoway.made(place, old, new, _cast(place, default, was))
        ),
        downgrade=patient(place, *twoway.gone(place), drop(place, new)),
    )
    todo = f"{place.quoted(new)} IS NULL AND {place.quoted(old)} IS NOT NULL"
    fill = filled(place, f"{place.quoted(new)} = {place.quoted(old)}", todo, same, f"get {new}")
    twins = [t for t, _ in made]
    yield replace(
        fill,
        upgrade=(*fill.upgrade, *built(twins)),
        downgrade=unbuilt(twins) or fill.downgrade,
    )
    yield _contract(place, was, new, same, made, default)


def _default(place: Place, column: str, default: str | None) -> list[str]:
    alter = f"ALTER TABLE {place.table} ALTER COLUMN {place.quoted(column)}"
    return [f"{alter} SET DEFAULT {default}"] if default else []


def _cast(place: Place, default: str | None, was: Column) -> str | None:
    if place.dialect in MYSQL:
        return default
    return f"CAST({default} AS {was.type})" if default else None


def _only_the_name(place: Place, was: Column, now: Column) -> str | None:
    """See that nothing else changes; the default that both names have."""
    live = place.live
    if live is None:
        raise place.refused("the column is not there")
    if was.type.upper() != now.type.upper() or now.unique:
        raise place.refused("more than its name changes: change one thing after another")
    if now.nullable != live.nullable:
        raise place.refused("its NOT NULL changes with its name: change one thing after another")
    if not live.nullable and place.dialect != "postgresql":
        raise place.refused("under NOT NULL, this database takes no row that leaves one name out")
    default = None if live.default in {None, "NULL"} else live.default
    if default is not None and place.dialect == "sqlite":
        raise place.refused("SQLite gives a column a default only by copying the table")
    if _bare(default) != _bare(now.server_default):
        raise place.refused("its default changes with its name: change one thing after another")
    return None if default is None else plain(place, default)


def _bare(default: str | None) -> str:
    """A default without the type that PostgreSQL writes behind it."""
    return re.sub(r"::[a-z ]+(?:\(\d+\))?$", "", (default or "").strip(), flags=re.I).strip("'")


def _contract(
    place: Place,
    was: Column,
    new: str,
    same: str,
    made: Sequence[tuple[Twin, str]],
    default: str | None,
) -> Part:
    live, old = place.live, place.column
    required = live is not None and not live.nullable
    name = place.quoted(new)
    alter = f"ALTER TABLE {place.table} ALTER COLUMN {name}"
    taken = f"ALTER TABLE {place.table} DROP CONSTRAINT {place.quoted(f'{place.sync}_set')}"
    set_null = (f"{alter} SET NOT NULL", taken) if required else ()
    called = [t.called(named) for t, named in made]
    return Part(
        phase="contract",
        says=f"{old} and the triggers go; {new} holds every value",
        deployed=f"code that knows {place.shape.table}.{new} alone, and not {old}",
        holds=((place.shape.table, same),),
        triggers=tuple((place.shape.table, t) for t in twoway.names(place)),
        first=(f"hold({place.table!r}, {same!r})", *(proof(place, new) if required else ())),
        upgrade=patient(place, *set_null, *twoway.gone(place), drop(place, old), *called),
        downgrade=_undone(place, was, new, made, default),
        helpers=("hold", "backfill"),
    )


def _undone(
    place: Place, was: Column, new: str, made: Sequence[tuple[Twin, str]], default: str | None
) -> tuple[str, ...]:
    """The old name is back, with what rested on it."""
    live, old = place.live, place.column
    name, before = place.quoted(new), place.quoted(old)
    alter = f"ALTER TABLE {place.table} ALTER COLUMN"
    needed = (f"{alter} {before} SET NOT NULL", f"{alter} {name} DROP NOT NULL")
    keys = "[" + ", ".join(map(repr, place.keys)) + "]"
    todo = f"{before} IS NULL AND {name} IS NOT NULL"
    add = f"ALTER TABLE {place.table} ADD COLUMN {before} {was.type}"
    back = [twin(place, t.hold, old, t.hold.name or "") for t, _ in made]
    # The new one's index may have the name that the old one's takes again.
    aside = [replace(t, name=named).called(t.name) for t, named in made]
    both = twoway.made(place, old, new, _cast(place, default, was))
    return (
        *patient(place, add, *_default(place, old, default), *both, *aside),
        f"backfill({place.table!r}, {keys}, {f'{before} = {name}'!r}, {todo!r})",
        *built(back),
        *patient(place, *(needed if live is not None and not live.nullable else ())),
    )
