"""Triggers that keep one column written from another while both are in use, by dialect."""

from dataclasses import dataclass

from rulezero_tools.safer.parts import MYSQL, Place


@dataclass(frozen=True, kw_only=True)
class Follow:
    """`target` is written with `value` whenever the application writes `source`.

    `value` is SQL by the new row's columns; {row} stands before the name of each.
    """

    source: str
    target: str
    value: str

    @property
    def of_new(self) -> str:
        """The value in a trigger."""
        return self.value.format(row="NEW.")


def made(place: Place, follow: Follow, *, replace: bool = False) -> list[str]:
    """The statements that make it, in the place of one that is there with `replace`.

    A value that does not convert leaves NULL: a write of the application never fails by it. What
    is missing is counted before anything relies on it.
    """
    if place.dialect == "postgresql":
        return _postgresql(place, follow, replace=replace)
    dropped = gone(place) if replace else []
    made = _mysql if place.dialect in MYSQL else _sqlite
    return [*dropped, *made(place, follow)]


def _postgresql(place: Place, follow: Follow, *, replace: bool) -> list[str]:
    function = f"""\
CREATE OR REPLACE FUNCTION {place.sync}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.{place.quoted(follow.target)} := {follow.of_new};
    RETURN NEW;
EXCEPTION WHEN data_exception THEN
    NEW.{place.quoted(follow.target)} := NULL;
    RETURN NEW;
END $$"""
    trigger = (
        f"CREATE TRIGGER {place.sync} BEFORE INSERT OR UPDATE ON {place.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {place.sync}()"
    )
    return [function] if replace else [function, trigger]


def _mysql(place: Place, follow: Follow) -> list[str]:
    name = place.quoted(follow.target)
    return [
        f"""\
CREATE TRIGGER {place.sync}_{event.lower()[0]} BEFORE {event} ON {place.table} FOR EACH ROW
BEGIN
    DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET NEW.{name} = NULL;
    SET NEW.{name} = {follow.of_new};
END"""
        for event in ("INSERT", "UPDATE")
    ]


def _sqlite(place: Place, follow: Follow) -> list[str]:
    here = " AND ".join(f"{key} = NEW.{key}" for key in place.keys)
    # Every name in it was checked to be a plain one.
    update = (
        f"UPDATE {place.table} SET {place.quoted(follow.target)} = {follow.of_new} WHERE {here};"  # noqa: S608
    )
    of = f"UPDATE OF {place.quoted(follow.source)}"
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
