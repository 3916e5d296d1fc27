"""How far an integer key reaches, and the new columns that may not reach far enough."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rulezero_policies.findings import Question
from rulezero_policies.operations import Column, Constraint, Operation
from rulezero_policies.steps import Place

_BITS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "SMALLSERIAL": 16,
    "INT2": 16,
    "MEDIUMINT": 24,
    "INT": 32,
    "INT4": 32,
    "INTEGER": 32,
    "SERIAL": 32,
}
_TYPE = re.compile(r"(?P<base>\w+)(?:\s*\(\d+\))?(?P<unsigned>\s+UNSIGNED)?", re.IGNORECASE)


def largest(type_: str) -> int | None:
    """The largest number that an integer type of fewer than 64 bits holds; None for others."""
    found = _TYPE.fullmatch(type_.strip())
    bits = _BITS.get(found["base"].upper()) if found else None
    if found is None or bits is None:
        return None
    return (1 << bits if found["unsigned"] else 1 << (bits - 1)) - 1


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A new integer column that will hold as many numbers as a live key, or more.

    `parent` is the live column that it refers to, or that its table's rows refer to.
    """

    operation: Operation
    column: Column
    reach: int
    parent: str
    question: Question


def new_keys(operations: Iterable[Operation]) -> Iterator[NewKey]:
    """The new integer keys beside each reference to a table that is there already."""
    steps = tuple(operations)
    made: set[Place] = {(o.schema, o.table or "") for o in steps if o.kind == "create_table"}
    renamed = {(o.schema, o.name or "") for o in steps if o.kind == "rename_table"}
    for operation in steps:
        for key in _references(operation):
            place = (key.referred_schema, key.referred_table or "")
            if place not in made | renamed:
                yield from _beside(steps, operation, key)


def _references(operation: Operation) -> Iterator[Constraint]:
    """The foreign keys of one column that an operation makes."""
    alone = (operation.constraint,) if operation.kind == "create_constraint" else ()
    for key in (*operation.constraints, *alone):
        single = key is not None and len(key.columns) == len(key.referred_columns) == 1
        if key is not None and key.kind == "foreign_key" and single:
            yield key


def _beside(
    steps: tuple[Operation, ...], operation: Operation, key: Constraint
) -> Iterator[NewKey]:
    question = Question(
        probe="highest",
        table=key.referred_table or "",
        schema=key.referred_schema,
        column=key.referred_columns[0],
    )
    for column in _new(steps, operation):
        reach = largest(column.type)
        referring = column.name == key.columns[0]
        if reach is not None and (referring or _is_own(operation, column)):
            parent = f"{key.referred_table}.{key.referred_columns[0]}"
            yield NewKey(
                operation=operation, column=column, reach=reach, parent=parent, question=question
            )


def _new(steps: tuple[Operation, ...], operation: Operation) -> tuple[Column, ...]:
    """The columns of the operation's table that the plan brings."""
    if operation.kind == "create_table":
        return operation.columns
    here = (operation.schema, operation.table)
    added = (o for o in steps if (o.schema, o.table) == here and o.kind == "add_column")
    return tuple(o.column for o in added if o.column)


def _is_own(operation: Operation, column: Column) -> bool:
    """Whether it alone is the key of the new table."""
    keys = [c.columns for c in operation.constraints if c.kind == "primary_key"]
    marked = tuple(c.name for c in operation.columns if c.primary_key)
    return (column.name,) in (*keys, marked)
