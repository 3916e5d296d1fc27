"""Triggers that keep two names of one column the same, whichever is written, by dialect."""

from rulezero_tools.safer.parts import MYSQL, Place


def names(place: Place) -> tuple[str, ...]:
    """The triggers that it is made of."""
    if place.dialect == "postgresql":
        return (place.sync,)
    events = ("i", "u") if place.dialect in MYSQL else ("i", "o", "n")
    return tuple(f"{place.sync}_{event}" for event in events)


def gone(place: Place) -> list[str]:
    """The statements that take it away."""
    if place.dialect == "postgresql":
        return [f"DROP TRIGGER {place.sync} ON {place.table}", f"DROP FUNCTION {place.sync}()"]
    return [f"DROP TRIGGER {name}" for name in names(place)]


def made(place: Place, old: str, new: str, default: str | None = None) -> list[str]:
    """Triggers in both directions: code that knows the new name alone is at work beside the old.

    Args:
        place: The column.
        old: Its name.
        new: Its other name.
        default: What both have where nothing is given, of their type.
    """
    one, other = place.quoted(old), place.quoted(new)
    if place.dialect == "postgresql":
        return _postgresql(place, one, other, default)
    return (
        _mysql(place, one, other, default) if place.dialect in MYSQL else _sqlite(place, one, other)
    )


def _postgresql(place: Place, old: str, new: str, default: str | None) -> list[str]:
    # The name that a row was added by is the one that does not hold the default, NULL included.
    given = f"NEW.{old} IS DISTINCT FROM {default}" if default else f"NEW.{new} IS NULL"
    function = f"""\
CREATE OR REPLACE FUNCTION {place.sync}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF {given} THEN
            NEW.{new} := NEW.{old};
        ELSE
            NEW.{old} := NEW.{new};
        END IF;
    ELSIF NEW.{old} IS DISTINCT FROM OLD.{old} THEN
        NEW.{new} := NEW.{old};
    ELSIF NEW.{new} IS DISTINCT FROM OLD.{new} THEN
        NEW.{old} := NEW.{new};
    END IF;
    RETURN NEW;
END $$"""
    trigger = (
        f"CREATE TRIGGER {place.sync} BEFORE INSERT OR UPDATE ON {place.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {place.sync}()"
    )
    return [function, trigger]


def _mysql(place: Place, old: str, new: str, default: str | None) -> list[str]:
    # 'NEW' would else be taken for the default 'new'.
    exactly = "BINARY " if (default or "").startswith("'") else ""
    same = f"{exactly}NEW.{old} <=> {exactly}{default}"
    given = f"NOT ({same})" if default else f"NEW.{new} IS NULL"
    insert, update = names(place)
    on_insert = f"""\
CREATE TRIGGER {insert} BEFORE INSERT ON {place.table} FOR EACH ROW
BEGIN
    IF {given} THEN
        SET NEW.{new} = NEW.{old};
    ELSE
        SET NEW.{old} = NEW.{new};
    END IF;
END"""
    # Every name in it was checked to be a plain one.
    on_update = f"""\
CREATE TRIGGER {update} BEFORE UPDATE ON {place.table} FOR EACH ROW
BEGIN
    IF NOT (NEW.{old} <=> OLD.{old}) THEN
        SET NEW.{new} = NEW.{old};
    ELSEIF NOT (NEW.{new} <=> OLD.{new}) THEN
        SET NEW.{old} = NEW.{new};
    END IF;
END"""  # noqa: S608
    return [on_insert, on_update]


def _sqlite(place: Place, old: str, new: str) -> list[str]:
    insert, by_old, by_new = names(place)
    here = " AND ".join(f"{key} = NEW.{key}" for key in place.keys)
    value = f"COALESCE(NEW.{new}, NEW.{old})"
    on = f"ON {place.table} WHEN NEW.{old} IS NOT NEW.{new}"
    each = (
        (f"{insert} AFTER INSERT {on}", f"{old} = {value}, {new} = {value}"),
        (
            f"{by_old} AFTER UPDATE OF {old} {on} AND NEW.{old} IS NOT OLD.{old}",
            f"{new} = NEW.{old}",
        ),
        (f"{by_new} AFTER UPDATE OF {new} {on} AND NEW.{old} IS OLD.{old}", f"{old} = NEW.{new}"),
    )
    # Every name in it was checked to be a plain one.
    return [
        f"CREATE TRIGGER {when} BEGIN UPDATE {place.table} SET {what} WHERE {here}; END"  # noqa: S608
        for when, what in each
    ]
