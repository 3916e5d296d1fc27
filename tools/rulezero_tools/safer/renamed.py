"""A column under another name: both names are there, and written together, until code moved on."""

from collections.abc import Iterator

from rulezero_policies.operations import Column
from rulezero_tools.safer import twoway
from rulezero_tools.safer.parts import Part, Place
from rulezero_tools.safer.retyped import drop, filled, patient, proof


def rename(place: Place, was: Column, now: Column) -> Iterator[Part]:
    """The phases of another name for a column of a live table.

    Raises:
        NoSequence: More than the name changes, or something rests on the column.
    """
    place.unheld()
    _only_the_name(place, was, now)
    new, old = place.free(now.name), place.column
    same = f"COALESCE({place.quoted(old)} = {place.quoted(new)}, "
    same += f"{place.quoted(old)} IS NULL AND {place.quoted(new)} IS NULL)"
    add = f"ALTER TABLE {place.table} ADD COLUMN {place.quoted(new)} {was.type}"
    yield Part(
        phase="expand",
        says=f"{new} stands beside {old}; whichever of them is written, a trigger writes the other",
        upgrade=patient(place, add, *twoway.made(place, old, new)),
        downgrade=patient(place, *twoway.gone(place), drop(place, new)),
    )
    todo = f"{place.quoted(new)} IS NULL AND {place.quoted(old)} IS NOT NULL"
    yield filled(place, f"{place.quoted(new)} = {place.quoted(old)}", todo, same, f"get {new}")
    yield _contract(place, was, new, same)


def _only_the_name(place: Place, was: Column, now: Column) -> None:
    live = place.live
    if live is None:
        raise place.refused("the column is not there")
    if was.type.upper() != now.type.upper() or now.unique:
        raise place.refused("more than its name changes: change one thing after another")
    if now.nullable != live.nullable:
        raise place.refused("its NOT NULL changes with its name: change one thing after another")
    if live.default not in {None, "NULL"}:
        raise place.refused("it has a default, which would stand for a value that was not given")
    if not live.nullable and place.dialect != "postgresql":
        raise place.refused("under NOT NULL, this database takes no row that leaves one name out")


def _contract(place: Place, was: Column, new: str, same: str) -> Part:
    live, old = place.live, place.column
    required = live is not None and not live.nullable
    name, before = place.quoted(new), place.quoted(old)
    alter = f"ALTER TABLE {place.table} ALTER COLUMN {name}"
    check = place.quoted(f"{place.sync}_set")
    taken = f"ALTER TABLE {place.table} DROP CONSTRAINT {check}"
    set_null = (f"{alter} SET NOT NULL", taken) if required else ()
    add = f"ALTER TABLE {place.table} ADD COLUMN {place.quoted(old)} {was.type}"
    null = f"ALTER TABLE {place.table} ALTER COLUMN {before} SET NOT NULL"
    undone = (null, f"{alter} DROP NOT NULL") if required else ()
    keys = "[" + ", ".join(map(repr, place.keys)) + "]"
    todo = f"{before} IS NULL AND {name} IS NOT NULL"
    call = f"backfill({place.table!r}, {keys}, {f'{before} = {name}'!r}, {todo!r})"
    return Part(
        phase="contract",
        says=f"{old} and the triggers go; {new} holds every value",
        deployed=f"code that knows {place.shape.table}.{new} alone, and not {old}",
        holds=((place.shape.table, same),),
        triggers=tuple((place.shape.table, t) for t in twoway.names(place)),
        upgrade=(
            f"hold({place.table!r}, {same!r})",
            *(proof(place, new) if required else ()),
            *patient(place, *set_null, *twoway.gone(place), drop(place, old)),
        ),
        downgrade=(
            *patient(place, add, *twoway.made(place, old, new)),
            call,
            *patient(place, *undone),
        ),
        helpers=("hold", "backfill"),
    )
