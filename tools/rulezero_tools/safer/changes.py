"""Which changes get a sequence, and what it is made of."""

from collections.abc import Iterable, Iterator, Sequence

from rulezero_policies.operations import Operation
from rulezero_policies.renames import Rename
from rulezero_tools.records import Shape
from rulezero_tools.safer import retyped
from rulezero_tools.safer.files import Sequenced, assembled
from rulezero_tools.safer.parts import Part, Place


def sequence(
    operations: Sequence[Operation],
    shapes: Iterable[Shape],
    *,
    dialect: str,
    message: str,
    renames: Sequence[Rename] = (),
) -> Sequenced | None:
    """The files of a sequence; None where nothing of it needs one.

    Args:
        operations: What the models want changed.
        shapes: The tables that are there.
        dialect: The database.
        message: The revisions' message; each says its phase behind it.
        renames: The drops and adds that a person called renames.

    Raises:
        NoSequence: A change needs one, and none can be written for it.
    """
    known = {shape.table: shape for shape in shapes}
    found = list(_found(operations, known, dialect, renames))
    if not found:
        return None
    return assembled([place for place, _ in found], [p for _, ps in found for p in ps], message)


def tables(operations: Iterable[Operation]) -> tuple[str, ...]:
    """The tables of which it has to be known how they stand."""
    return tuple(dict.fromkeys(o.table for o in operations if o.table and not o.schema))


def _found(
    operations: Sequence[Operation],
    shapes: dict[str, Shape],
    dialect: str,
    renames: Sequence[Rename],
) -> Iterator[tuple[Place, list[Part]]]:
    for operation in operations:
        shape = shapes.get(operation.table or "")
        if shape is None or operation.column is None or operation.schema:
            continue
        place = Place(dialect=dialect, shape=shape, column=operation.column.name)
        parts = list(_parts(place, operation))
        if parts:
            yield place, parts


def _parts(place: Place, operation: Operation) -> Iterator[Part]:
    change = operation.change("type")
    if operation.kind == "alter_column" and change is not None:
        if len(operation.changes) > 1:
            raise place.refused("its type is not all that changes: change one thing after another")
        if change.before is None or change.after is None:
            raise place.refused("its present type is not known")
        yield from retyped.type_change(place, change.before, change.after)
