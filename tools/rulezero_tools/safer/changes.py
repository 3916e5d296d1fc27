"""Which changes get a sequence, and what it is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rulezero_policies.errors import NoSequence
from rulezero_policies.operations import Column, Operation
from rulezero_policies.renames import Rename
from rulezero_tools.safer import claims, renamed, required, retyped
from rulezero_tools.safer.files import Sequenced, assembled
from rulezero_tools.safer.parts import Part, Place
from rulezero_tools.shapes import Shape

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
    taken = {t for m in moved for t in m.taken}
    left = [o for o in operations if not o.column or (o.table, o.column.name) not in taken]
    found = [*moved, *_found(left, known, dialect, nulls)]
    if not found:
        return None
    _apart(found, operations)
    subjects = sorted({t for m in found for t in m.subjects})
    made = {*subjects, *(t for m in found for t in m.taken)}
    parts = [part for m in found for part in m.parts]
    return assembled(subjects, parts, message, without=sorted(made))


@dataclass(frozen=True, kw_only=True)
class _Move:
    """One change, its phases, and what of the models' wishes they fulfil."""

    place: Place
    parts: tuple[Part, ...]
    names: tuple[str, ...] = ()
    taken: tuple[tuple[str, str], ...] = ()

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        return tuple((self.place.shape.table, n) for n in (self.place.column, *self.names))


def _apart(found: Sequence[_Move], operations: Sequence[Operation]) -> None:
    """See that no index or constraint is of two columns that both go, or change places."""
    going = {
        (o.table, o.column.name)
        for o in operations
        if o.column and (o.kind == "drop_column" or o.change("type"))
    }
    for move in found:
        table = move.place.shape.table
        for hold in move.place.held:
            both = [c for c in hold.columns if (table, c) in going]
            if len(both) > 1 and (table, move.place.column) in going:
                reason = f"{hold.what} is of {' and '.join(both)}: change one after the other"
                raise move.place.refused(reason)


def _renamed(
    operations: Sequence[Operation],
    shapes: dict[str, Shape],
    dialect: str,
    renames: Sequence[Rename],
) -> Iterator[_Move]:
    """What a person called the rename of a column."""
    for one in renames:
        shape = shapes.get(one.table or "")
        mine = [o.column for o in operations if o.table == one.table and o.column]
        was = next((c for c in mine if c.name == one.old), None)
        now = next((c for c in mine if c.name == one.new), None)
        if one.kind != "column" or one.schema or shape is None or was is None or now is None:
            raise NoSequence(subject=one.subject, reason="only a column is renamed in phases")
        place = Place(dialect=dialect, shape=shape, column=one.old)
        yield _rename(place, was, now, operations)


def _rename(place: Place, was: Column, now: Column, operations: Sequence[Operation]) -> _Move:
    wishes = [(h, *claims.wanted(place, now.name, h, operations)) for h in place.held]
    kept = [(hold, name) for hold, name, _ in wishes if name]
    made = [o for _, _, o in wishes if o is not None]
    keys = tuple(k for o in (*made, *claims.dropped(place, operations)) if (k := claims.key(o)))
    columns = tuple((place.shape.table, name) for name in (was.name, now.name))
    parts = tuple(renamed.rename(place, was, now, kept))
    return _Move(place=place, parts=parts, names=(now.name,), taken=(*columns, *keys))


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
) -> Iterator[_Move]:
    for operation in operations:
        shape = shapes.get(operation.table or "")
        if shape is None or operation.column is None or operation.schema:
            continue
        place = Place(dialect=dialect, shape=shape, column=operation.column.name)
        parts = tuple(_parts(place, operation, nulls))
        gone = claims.dropped(place, operations) if operation.kind == "drop_column" else ()
        if parts:
            yield _Move(place=place, parts=parts, taken=tuple(filter(None, map(claims.key, gone))))


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
