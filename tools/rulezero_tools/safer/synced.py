"""Triggers that keep one column written from another while both are in use, by dialect."""

from rulezero_tools.safer.parts import MYSQL, Place


def made(place: Place, *, source: str, target: str, value: str, replace: bool = False) -> list[str]:
    """The statements that make it: `target` is written with `value` whenever `source` is.

    A value that does not convert leaves NULL: a write of the application never fails by it. What
    is missing is counted before anything relies on it.

    Args:
        place: The table, and the column by which the trigger is named.
        source: The column that the application writes.
        target: The column that follows.
        value: SQL for the value, by the new row's columns ({row} stands before the name).
        replace: Whether it takes the place of one that is there.
    """
    if place.dialect == "postgresql":
        return _postgresql(place, target, value.format(row="NEW."), replace=replace)
    dropped = gone(place) if replace else []
    if place.dialect in MYSQL:
        return [*dropped, *_mysql(place, target, value.format(row="NEW."))]
    return [*dropped, *_sqlite(place, source, target, value.format(row="NEW."))]


def _postgresql(place: Place, target: str, value: str, *, replace: bool) -> list[str]:
    function = f"""\
CREATE OR REPLACE FUNCTION {place.sync}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.{place.quoted(target)} := {value};
    RETURN NEW;
EXCEPTION WHEN data_exception THEN
    NEW.{place.quoted(target)} := NULL;
    RETURN NEW;
END $$"""
    trigger = (
        f"CREATE TRIGGER {place.sync} BEFORE INSERT OR UPDATE ON {place.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {place.sync}()"
    )
    return [function] if replace else [function, trigger]


def _mysql(place: Place, target: str, value: str) -> list[str]:
    name = place.quoted(target)
    return [
        f"""\
CREATE TRIGGER {place.sync}_{event.lower()[0]} BEFORE {event} ON {place.table} FOR EACH ROW
BEGIN
    DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET NEW.{name} = NULL;
    SET NEW.{name} = {value};
END"""
        for event in ("INSERT", "UPDATE")
    ]


def _sqlite(place: Place, source: str, target: str, value: str) -> list[str]:
    here = " AND ".join(f"{key} = NEW.{key}" for key in place.keys)
    # Every name in it was checked to be a plain one.
    update = f"UPDATE {place.table} SET {place.quoted(target)} = {value} WHERE {here};"  # noqa: S608
    of = f"UPDATE OF {place.quoted(source)}"
    return [
        f"CREATE TRIGGER {place.sync}_{event[0].lower()} AFTER {event} ON {place.table} "
        f"BEGIN {update} END"
        for event in ("INSERT", of)
    ]


def gone(place: Place) -> list[str]:
    """The statements that take it away."""
    if place.dialect == "postgresql":
        trigger = f"DROP TRIGGER {place.sync} ON {place.table}"
        return [trigger, f"DROP FUNCTION {place.sync}()"]
    return [f"DROP TRIGGER {name}" for name in names(place)]


def names(place: Place) -> tuple[str, ...]:
    """The triggers that it is made of."""
    if place.dialect == "postgresql":
        return (place.sync,)
    return (f"{place.sync}_i", f"{place.sync}_u")
