"""Indexes and constraints that the models want on a moved column: its phases make them instead."""

from collections.abc import Iterator, Sequence

from rulezero_policies.operations import Operation
from rulezero_tools.safer.parts import Place
from rulezero_tools.shapes import Hold


def key(operation: Operation) -> tuple[str, str] | None:
    """How the worker finds the operation among autogenerate's: its table, and what it is called."""
    index, constraint = operation.index, operation.constraint
    if operation.kind in {"create_index", "drop_index"} and index is not None:
        return (operation.table or "", f"index {index.name}")
    if operation.kind in {"create_constraint", "drop_constraint"} and constraint is not None:
        named = constraint.name or f"on {', '.join(constraint.columns)}"
        return (operation.table or "", f"constraint {named}")
    return None


def dropped(place: Place, operations: Sequence[Operation]) -> Iterator[Operation]:
    """The drops of what goes with its column anyway."""
    names = {hold.name for hold in place.held}
    for operation in operations:
        one = operation.index or operation.constraint
        gone = operation.kind in {"drop_index", "drop_constraint"}
        if gone and one is not None and operation.table == place.shape.table and one.name in names:
            yield operation


def wanted(
    place: Place, new: str, hold: Hold, operations: Sequence[Operation]
) -> tuple[str | None, Operation | None]:
    """What `hold` is called on the column `new`, with the operation that says so.

    Returns:
        Its name; None where the models no longer want it.
    """
    columns = tuple(new if c == place.column else c for c in hold.columns)
    for operation in operations:
        one = operation.index or operation.constraint
        made = operation.kind in {"create_index", "create_constraint"}
        if not made or one is None or operation.table != place.shape.table:
            continue
        if one.columns == columns and _kind(operation) == _kind_of(hold):
            return one.name or hold.name, operation
    gone = {one.name for o in dropped(place, operations) if (one := o.index or o.constraint)}
    return (None if hold.name in gone else hold.name), None


def _kind(operation: Operation) -> str:
    if operation.index is not None:
        return "unique index" if operation.index.unique else "index"
    kind = operation.constraint.kind if operation.constraint else "unknown"
    return kind.replace("_", " ")


def _kind_of(hold: Hold) -> str:
    unique = hold.kind == "index" and hold.said.startswith("CREATE UNIQUE ")
    return "unique index" if unique else hold.kind or ""
