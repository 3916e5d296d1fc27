"""Foreign keys that come before the table they refer to, or outlive it."""

from collections.abc import Iterable, Iterator

from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.steps import Place


def referred(key: Constraint) -> Place:
    """The table that a foreign key refers to."""
    return (key.referred_schema, key.referred_table or "")


def foreign_keys(operations: Iterable[Operation]) -> Iterator[tuple[Operation, Constraint]]:
    """The foreign keys that operations make, each with its operation."""
    for operation in operations:
        for constraint in created_constraints(operation):
            if constraint.kind == "foreign_key":
                yield operation, constraint


def too_early(operations: tuple[Operation, ...]) -> Iterator[tuple[Operation, Constraint]]:
    """Foreign keys to a table that is only created by a later step."""
    created = {(o.schema, o.table): i for i, o in enumerate(operations) if o.kind == "create_table"}
    for number, operation in enumerate(operations):
        for _, key in foreign_keys((operation,)):
            if created.get(referred(key), -1) > number:
                yield operation, key
