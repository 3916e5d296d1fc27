"""The columns and tables that an upgrade brings."""

from collections.abc import Iterator

from rulezero_policies.operations import Column, Operation
from rulezero_policies.scene import Scene


def new_columns(scene: Scene) -> Iterator[tuple[Operation, Column]]:
    """Every column that is new, alone or with its table."""
    for step in scene.steps:
        operation = step.operation
        if operation.kind == "create_table":
            yield from ((operation, column) for column in operation.columns)
        elif operation.kind == "add_column" and operation.column:
            yield operation, operation.column
