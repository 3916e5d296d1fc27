"""A column of another type, or under another name: a new column beside the old one."""

from collections.abc import Iterator

from rulezero_tools.safer import synced
from rulezero_tools.safer.conversion import Conversion
from rulezero_tools.safer.parts import MYSQL, Part, Place, executes
from rulezero_tools.safer.synced import Follow
from rulezero_tools.safer.twins import Twin, built, swapped, twins

_PATIENCE = "SET LOCAL lock_timeout = '3s'"


def patient(place: Place, *statements: str) -> tuple[str, ...]:
    """The statements, which on PostgreSQL wait for no lock longer than a moment."""
    return executes(*((_PATIENCE,) if place.dialect == "postgresql" else ()), *statements)


def drop(place: Place, column: str) -> str:
    """The statement that drops a column."""
    return f"ALTER TABLE {place.table} DROP COLUMN {place.quoted(column)}"


def filled(place: Place, change: str, todo: str, kept: str, follows: str) -> Part:
    """The phase that changes the rows that are there, and counts that none is missing."""
    keys = "[" + ", ".join(map(repr, place.keys)) + "]"
    table = repr(place.table)
    call = f"backfill(\n    {table},\n    {keys},\n    {change!r},\n    {todo!r},\n)"
    return Part(
        phase="backfill",
        says=f"the rows of {place.shape.table} that are there {follows}, some at a time; a value "
        "that would be lost stops the revision, which can be run again once it is corrected",
        upgrade=(call, f"hold({table}, {kept!r})"),
        # A downgrade that sends nothing looks like one that was forgotten.
        downgrade=(
            "# The values go with their column, in the first revision's downgrade().",
            *executes("SELECT 1"),
        ),
        helpers=("hold", "backfill"),
    )


def type_change(place: Place, before: str, after: str) -> Iterator[Part]:
    """The four phases of another type."""
    place.movable()
    how = Conversion(place=place, before=before, after=after)
    how.check()
    name = place.column
    new, old = place.free(f"{name}_new"), place.free(f"{name}_old")
    _carried(place)
    for hold in place.held:
        how.carries(hold)
    now = how.kept(name, new)
    yield Part(
        phase="expand",
        says=f"{name}_new ({after}) stands beside {name}; a trigger writes it whenever {name} is",
        upgrade=patient(
            place,
            f"ALTER TABLE {place.table} ADD COLUMN {place.quoted(new)} {after}",
            *synced.made(place, Follow(source=name, target=new, value=how.there(name))),
        ),
        downgrade=patient(place, *synced.gone(place), drop(place, new)),
    )
    # The trigger is the one place that converts: writing the old value again has it run.
    same = f"{place.quoted(name)} = {place.quoted(name)}"
    todo = f"{place.quoted(new)} IS NULL AND {place.quoted(name)} IS NOT NULL"
    yield filled(place, same, todo, now, f"get {new}")
    yield _switch(place, how, (new, old), now)
    yield _contract(place, how, (old, name))


def _carried(place: Place) -> None:
    live = place.live
    plain = live is not None and live.nullable and live.default is None
    if place.dialect == "sqlite" and not plain:
        raise place.refused(
            "SQLite gives a column another default, or another NOT NULL, only by copying the table"
        )
    if live is not None and "nextval" in (live.default or ""):
        raise place.refused("a sequence fills it")


def _switch(place: Place, how: Conversion, names: tuple[str, str], now: str) -> Part:
    live, name, (new, old) = place.live, place.column, names
    table = repr(place.table)
    required = live is not None and not live.nullable
    proved = proof(place, new) if required and place.dialect == "postgresql" else ()
    there, back = twins(place, new), twins(place, old)
    return Part(
        phase="switch",
        says=f"{name} becomes {old} and {new} becomes {name}, at once; from then on the trigger "
        f"writes {old} whenever {name} is, so that there is a way back",
        deployed=_both(place, how),
        holds=((place.shape.table, now),),
        triggers=tuple((place.shape.table, t) for t in synced.names(place)),
        first=(f"hold({table}, {now!r})", *proved, *built(there)),
        upgrade=_swap(place, how, (name, old), (new, name), there),
        downgrade=(*built(back), *_swap(place, how, (name, new), (old, name), back, back=True)),
        helpers=("hold",),
    )


def _both(place: Place, how: Conversion) -> str:
    said = f"code that reads and writes {place.subject} as {how.before} and as {how.after}"
    # PostgreSQL keeps the types of a prepared statement: it fails from the swap on.
    kept = ", and has no statement that names it prepared by the server"
    return said + kept * (place.dialect == "postgresql")


def proof(place: Place, column: str) -> tuple[str, ...]:
    """PostgreSQL takes NOT NULL without reading the table where a valid CHECK says it."""
    check = place.quoted(f"{place.sync}_set")
    condition = f"CHECK ({place.quoted(column)} IS NOT NULL) NOT VALID"
    body = executes(
        "SET lock_timeout = '3s'",
        f"ALTER TABLE {place.table} DROP CONSTRAINT IF EXISTS {check}",
        f"ALTER TABLE {place.table} ADD CONSTRAINT {check} {condition}",
        f"ALTER TABLE {place.table} VALIDATE CONSTRAINT {check}",
    )
    lines = ("with op.get_context().autocommit_block():", *("    " + line for line in body))
    return ("\n".join(lines),)


def _swap(
    place: Place,
    how: Conversion,
    away: tuple[str, str],
    into: tuple[str, str],
    made: tuple[Twin, ...],
    *,
    back: bool = False,
) -> tuple[str, ...]:
    """`away` is how the present column is called afterwards, `into` the one that takes its name."""
    (name, aside), value = away, (how.there if back else how.back)
    follow = Follow(source=name, target=aside, value=value(name))
    renames = [_rename(place, *away), _rename(place, *into)]
    if place.dialect == "postgresql":
        moved = [*renames, *_attributes(place, how, aside, back=back), *swapped(made)]
        return patient(place, *moved, *synced.made(place, follow, replace=True))
    synchronised = synced.made(place, follow)
    if place.dialect not in MYSQL:
        return executes(*synced.gone(place), *renames, *synchronised)
    # Nobody may write between the two triggers, and DDL there ends every transaction.
    both = ", ".join(r.partition(place.table + " ")[2] for r in renames)
    attributes = _attributes(place, how, aside, back=back)
    altered = [f"ALTER TABLE {place.table} {both}", *attributes]
    locked = [f"LOCK TABLES {place.table} WRITE", *synced.gone(place), *altered, *synchronised]
    return executes(*locked, "UNLOCK TABLES")


def _rename(place: Place, before: str, after: str) -> str:
    names = f"{place.quoted(before)} TO {place.quoted(after)}"
    return f"ALTER TABLE {place.table} RENAME COLUMN {names}"


def _attributes(place: Place, how: Conversion, aside: str, *, back: bool) -> list[str]:
    """NOT NULL and the default go from the column that steps aside to the one in its place."""
    live = place.live
    if live is None:
        return []
    name, other = place.quoted(place.column), place.quoted(aside)
    types = (how.before, how.after) if back else (how.after, how.before)
    if place.dialect in MYSQL:
        return list(_defined(place, (name, other), types))
    steps: list[str] = []
    if not live.nullable:
        steps += [f"ALTER COLUMN {name} SET NOT NULL", f"ALTER COLUMN {other} DROP NOT NULL"]
        check = place.quoted(f"{place.sync}_set")
        steps += [f"DROP CONSTRAINT IF EXISTS {check}"] * (not back)
    if live.default is not None:
        value = live.default if back else f"CAST({live.default} AS {types[0]})"
        steps += [f"ALTER COLUMN {other} DROP DEFAULT", f"ALTER COLUMN {name} SET DEFAULT {value}"]
    return [f"ALTER TABLE {place.table} {step}" for step in steps]


def _defined(place: Place, names: tuple[str, str], types: tuple[str, str]) -> Iterator[str]:
    """MODIFY says a column anew; the one that steps aside takes NULL from then on."""
    live, (name, other) = place.live, names
    default = live.default if live and live.default != "NULL" else None
    if live is None or (live.nullable and default is None):
        return
    said = f" DEFAULT {default}" if default is not None else ""
    null = "NULL" if live.nullable else "NOT NULL"
    yield f"ALTER TABLE {place.table} MODIFY COLUMN {name} {types[0]} {null}{said}"
    yield f"ALTER TABLE {place.table} MODIFY COLUMN {other} {types[1]} NULL"


def _contract(place: Place, how: Conversion, names: tuple[str, str]) -> Part:
    old, name = names
    follow = Follow(source=name, target=old, value=how.back(name))
    keys = "[" + ", ".join(map(repr, place.keys)) + "]"
    same = f"{place.quoted(name)} = {place.quoted(name)}"
    todo = f"{place.quoted(old)} IS NULL AND {place.quoted(name)} IS NOT NULL"
    return Part(
        phase="contract",
        says=f"{old} and the trigger go; there is no other copy of the old values",
        deployed=f"code that uses {place.subject} as {how.after} everywhere, and no {old}",
        triggers=tuple((place.shape.table, t) for t in synced.names(place)),
        upgrade=patient(place, *synced.gone(place), drop(place, old)),
        downgrade=(
            *patient(
                place,
                f"ALTER TABLE {place.table} ADD COLUMN {place.quoted(old)} {how.before}",
                *synced.made(place, follow),
            ),
            f"backfill(\n    {place.table!r},\n    {keys},\n    {same!r},\n    {todo!r},\n)",
        ),
        helpers=("backfill",),
    )
