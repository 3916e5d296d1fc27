"""Which changes get a sequence, and what it is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rulezero_policies.errors import NoSequence
from rulezero_policies.operations import Operation
from rulezero_policies.renames import Rename
from rulezero_tools.records import Shape
from rulezero_tools.safer import renamed, required, retyped
from rulezero_tools.safer.files import Sequenced, assembled
from rulezero_tools.safer.parts import Part, Place

Nulls = Mapping[tuple[str, str], int | None]
"""By table and column."""


def sequence(
    operations: Sequence[Operation],
    shapes: Iterable[Shape],
    *,
    dialect: str,
    message: str,
    nulls: Nulls,
    renames: Sequence[Rename] = (),
) -> Sequenced | None:
    """The files of a sequence; None where nothing of it needs one.

    Args:
        operations: What the models want changed.
        shapes: The tables that are there.
        dialect: The database.
        message: The revisions' message; each says its phase behind it.
        nulls: How many NULLs the columns hold that are to take none, as far as it was counted.
        renames: The drops and adds that a person called renames.

    Raises:
        NoSequence: A change needs one, and none can be written for it.
    """
    known = {shape.table: shape for shape in shapes}
    moved = list(_renamed(operations, known, dialect, renames))
    taken = {(p.shape.table, name) for p, name, _ in moved} | {
        (p.shape.table, p.column) for p, _, _ in moved
    }
    left = [o for o in operations if not o.column or (o.table, o.column.name) not in taken]
    found = [*((p, ps) for p, _, ps in moved), *_found(left, known, dialect, nulls)]
    if not found:
        return None
    places = sorted({*taken, *((p.shape.table, p.column) for p, _ in found)})
    return assembled(places, [part for _, parts in found for part in parts], message)


def _renamed(
    operations: Sequence[Operation],
    shapes: dict[str, Shape],
    dialect: str,
    renames: Sequence[Rename],
) -> Iterator[tuple[Place, str, list[Part]]]:
    """What a person called the rename of a column, with the new name."""
    for one in renames:
        shape = shapes.get(one.table or "")
        mine = [o.column for o in operations if o.table == one.table and o.column]
        was = next((c for c in mine if c.name == one.old), None)
        now = next((c for c in mine if c.name == one.new), None)
        if one.kind != "column" or one.schema or shape is None or was is None or now is None:
            raise NoSequence(subject=one.subject, reason="only a column is renamed in phases")
        place = Place(dialect=dialect, shape=shape, column=one.old)
        yield place, one.new, list(renamed.rename(place, was, now))


def nullable(operations: Iterable[Operation]) -> tuple[tuple[str, str], ...]:
    """The columns that are to take no NULL any more."""
    return tuple(
        (o.table, o.column.name)
        for o in operations
        if o.table and o.column and not o.schema and o.kind == "alter_column"
        if (c := o.change("nullable")) is not None and c.after == "false"
    )


def tables(operations: Iterable[Operation]) -> tuple[str, ...]:
    """The tables of which it has to be known how they stand."""
    return tuple(dict.fromkeys(o.table for o in operations if o.table and not o.schema))


def _found(
    operations: Sequence[Operation],
    shapes: dict[str, Shape],
    dialect: str,
    nulls: Nulls,
) -> Iterator[tuple[Place, list[Part]]]:
    for operation in operations:
        shape = shapes.get(operation.table or "")
        if shape is None or operation.column is None or operation.schema:
            continue
        place = Place(dialect=dialect, shape=shape, column=operation.column.name)
        parts = list(_parts(place, operation, nulls))
        if parts:
            yield place, parts


def _parts(place: Place, operation: Operation, nulls: Nulls) -> Iterator[Part]:
    column = operation.column
    if column is None:
        return
    if operation.kind == "alter_column":
        yield from _altered(place, operation, nulls)
    elif operation.kind == "drop_column":
        yield from required.drop(place, column.type)
    elif operation.kind == "add_column":
        given = column.server_default or column.generated or column.primary_key
        if not (column.nullable or given):
            yield from required.new_column(place, column.type)


def _altered(place: Place, operation: Operation, nulls: Nulls) -> Iterator[Part]:
    retype, null = operation.change("type"), operation.change("nullable")
    if retype is not None:
        if len(operation.changes) > 1:
            raise place.refused("its type is not all that changes: change one thing after another")
        if retype.before is None or retype.after is None:
            raise place.refused("its present type is not known")
        yield from retyped.type_change(place, retype.before, retype.after)
    elif null is not None and null.after == "false":
        if {c.attribute for c in operation.changes} - {"nullable", "server_default"}:
            raise place.refused("NOT NULL is not all that changes: change one thing after another")
        given = operation.change("server_default")
        counted = nulls.get((place.shape.table, place.column))
        yield from required.not_null(place, given.after if given else None, counted)
