"""NOT NULL on a column that is there, and a new column that every row needs a value in."""

import re
from collections.abc import Iterator
from dataclasses import replace

from rulezero_tools.safer.parts import MYSQL, Part, Place, executes
from rulezero_tools.safer.retyped import filled, patient, proof
from rulezero_tools.safer.twins import built, twin

_VALUE = re.compile(
    r"(?:'[^'\\:]*'|-?\d+(?:\.\d+)?|true|false|current_timestamp(?:\(\))?|now\(\)|current_date)"
    r"(?:::[a-z ]+(?:\(\d+\))?)?",
    re.IGNORECASE,
)
"""Defaults that can stand in an UPDATE as they are: literals, and the present moment."""


def not_null(place: Place, default: str | None, nulls: int | None) -> Iterator[Part]:
    """The phases of NOT NULL on a column that is there.

    Args:
        place: The column.
        default: The server default that the models want, if it changes.
        nulls: How many NULLs there are; None where it could not be counted.
    """
    live = place.live
    if live is None or live.generated:
        raise place.refused("the database fills it by itself")
    standing = None if live.default in {None, "NULL"} else live.default
    value = default or standing
    if value is None and nulls != 0:
        count = "an unknown number of" if nulls is None else nulls
        raise place.refused(
            f"{count} rows hold NULL, and which value they shall have is for a person to say: as "
            "the column's server_default in the models (which env.py compares only with "
            "compare_server_default=True), or by giving those rows their values first"
        )
    deployed = f"code that never writes NULL to {place.subject}"
    if value is not None:
        for part in _given(place, plain(place, value), changed=default is not None):
            # A NULL that is written behind the backfill would stay.
            yield replace(part, deployed=deployed) if part.phase == "backfill" else part
    yield _set(place, _definition(place, value), deployed)


def plain(place: Place, value: str) -> str:
    """A default that can stand in other statements.

    Raises:
        NoSequence: It is an expression.
    """
    if _VALUE.fullmatch(value.strip()) is None:
        raise place.refused("its server default is no plain value")
    return value.strip()


def _given(place: Place, value: str, *, changed: bool) -> Iterator[Part]:
    name, place_sql = place.quoted(place.column), f"ALTER TABLE {place.table}"
    back = place.live.default if place.live else None
    undo = f"SET DEFAULT {back}" if back not in {None, "NULL"} else "DROP DEFAULT"
    if changed and place.dialect == "sqlite":
        raise place.refused("SQLite gives a column another default only by copying the table")
    if changed:
        yield Part(
            phase="expand",
            says=f"new rows get {place.subject} = {value} where nothing else is said",
            upgrade=patient(place, f"{place_sql} ALTER COLUMN {name} SET DEFAULT {value}"),
            downgrade=patient(place, f"{place_sql} ALTER COLUMN {name} {undo}"),
        )
    yield filled(
        place, f"{name} = {value}", f"{name} IS NULL", f"{name} IS NOT NULL", f"get {value}"
    )


def _definition(place: Place, default: str | None) -> str:
    """What MySQL and MariaDB are told of the column beside its name."""
    said = (place.live.definition if place.live else None) or ""
    rest = re.sub(r"\s+DEFAULT\s+(?:NULL|'[^']*'|[\w.()+-]+)", "", said, flags=re.IGNORECASE)
    rest = re.sub(r"\s+(?:NOT\s+)?NULL\b", "", rest, flags=re.IGNORECASE)
    type_, comment, note = rest.partition(" COMMENT ")
    given = f" DEFAULT {default}" if default else ""
    return f"{type_} {{null}}{given}{comment}{note}"


def _set(place: Place, definition: str, deployed: str) -> Part:
    condition = f"{place.quoted(place.column)} IS NOT NULL"
    return Part(
        phase="switch",
        says=f"{place.subject} no longer takes NULL",
        deployed=deployed,
        holds=((place.shape.table, condition),),
        first=(f"hold({place.table!r}, {condition!r})", *_proved(place)),
        upgrade=_altered(place, definition, "NOT NULL"),
        downgrade=_altered(place, definition, "NULL"),
        helpers=("hold",),
    )


def _altered(place: Place, definition: str, null: str) -> tuple[str, ...]:
    name, table = place.quoted(place.column), place.table
    if place.dialect in MYSQL:
        return _modified(place, definition, null)
    if place.dialect == "sqlite":
        call = f"batch_op.alter_column({place.column!r}, nullable={null == 'NULL'})"
        return (f"with op.batch_alter_table({place.shape.table!r}) as batch_op:\n    {call}",)
    if null == "NULL":
        return patient(place, f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL")
    check = place.quoted(f"{place.sync}_set")
    taken = f"ALTER TABLE {table} DROP CONSTRAINT {check}"
    return patient(place, f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL", taken)


def _proved(place: Place) -> tuple[str, ...]:
    return proof(place, place.column) if place.dialect == "postgresql" else ()


_WRITTEN = {
    "varchar": "sa.String({})",
    "char": "sa.CHAR({})",
    "decimal": "sa.Numeric({})",
    "int": "sa.Integer()",
    "bigint": "sa.BigInteger()",
    "smallint": "sa.SmallInteger()",
    "text": "sa.Text()",
    "datetime": "sa.DateTime()",
    "date": "sa.Date()",
}
"""MySQL's types as a revision writes them; an integer's display width is not told."""

_TYPED = re.compile(
    r"(?P<base>[a-z]+)(?:\((?P<size>[\d, ]+)\))?\s*\{null\}(?: DEFAULT (?P<default>.+))?", re.I
)


def _modified(place: Place, definition: str, null: str) -> tuple[str, ...]:
    """What MODIFY is told is the whole column: where op.alter_column() can say it, it does."""
    found = _TYPED.fullmatch(definition.strip())
    known = _WRITTEN.get(found["base"].lower()) if found else None
    if found is None or known is None or (found["size"] is None and "{}" in known):
        column, name = definition.format(null=null), place.quoted(place.column)
        return executes(f"ALTER TABLE {place.table} MODIFY COLUMN {name} {column}")
    default = found["default"]
    more = f"    existing_server_default=sa.text({default!r}),\n" if default else ""
    was = null != "NULL"
    lines = (
        f"op.alter_column(\n    {place.shape.table!r},\n    {place.column!r},\n"
        f"    existing_type={known.format(found['size'])},\n    existing_nullable={was},\n{more}"
        f"    nullable={not was},\n)"
    )
    return (lines,)


def new_column(place: Place, type_: str) -> Iterator[Part]:
    """A new column that takes no NULL and has no default: first it does, and nothing needs it."""
    name = place.quoted(place.free(place.column))
    yield Part(
        phase="expand",
        says=f"{place.subject} ({type_}) is there, and takes NULL until every row has a value: "
        "which value the rows that are there get is for the application, or a person, to say",
        upgrade=patient(place, f"ALTER TABLE {place.table} ADD COLUMN {name} {type_} NULL"),
        downgrade=patient(place, f"ALTER TABLE {place.table} DROP COLUMN {name}"),
    )
    deployed = f"code that writes {place.subject} in every new row"
    yield _set(place, f"{type_} {{null}}", deployed)


def drop(place: Place, type_: str) -> Iterator[Part]:
    """A column goes: first nothing needs it any more."""
    place.movable()
    made = tuple(twin(place, h, place.column, h.name or "") for h in place.held)
    live, name = place.live, place.quoted(place.column)
    if live is not None and not live.nullable:
        default = live.default
        definition = _definition(place, default)
        yield Part(
            phase="expand",
            says=f"{place.subject} takes NULL, so that code that does not know it can add rows",
            upgrade=_altered(place, definition, "NULL"),
            downgrade=(
                f"hold({place.table!r}, {f'{name} IS NOT NULL'!r})",
                *_proved(place),
                *_altered(place, definition, "NOT NULL"),
            ),
            helpers=("hold",),
        )
    default = live.default if live and live.default not in {None, "NULL"} else None
    given = f" DEFAULT {default}" if default and not made else ""
    # Where the values were unique, one in every row would not be.
    later = f"ALTER TABLE {place.table} ALTER COLUMN {name} SET DEFAULT {default}"
    set_later = (later,) if default and made else ()
    yield Part(
        phase="contract",
        says=f"{place.subject} and its values go",
        deployed=f"code that neither reads nor writes {place.subject}",
        upgrade=patient(place, f"ALTER TABLE {place.table} DROP COLUMN {name}"),
        downgrade=(
            *patient(
                place, f"ALTER TABLE {place.table} ADD COLUMN {name} {type_}{given}", *set_later
            ),
            *built(made),
        ),
    )
