"""The operations of a rename, each with its way back, which Alembic's own lack."""

from __future__ import annotations

from typing import Any, cast

from alembic.autogenerate import renderers
from alembic.operations import ops


class RenameColumnOp(ops.AlterColumnOp):
    """`op.alter_column(..., new_column_name=...)`, which Alembic itself cannot reverse."""

    def reverse(self) -> RenameColumnOp:
        """The way back."""
        return RenameColumnOp(
            self.table_name,
            str(self.modify_name),
            schema=self.schema,
            modify_name=self.column_name,
            existing_type=self.existing_type,
            existing_nullable=self.existing_nullable,
            existing_server_default=cast("Any", self.existing_server_default),
        )


class RenameTableOp(ops.RenameTableOp):
    """`op.rename_table`, with a way back."""

    def reverse(self) -> RenameTableOp:
        """The way back."""
        return RenameTableOp(self.new_table_name, self.table_name, schema=self.schema)


class RenameSQLOp(ops.ExecuteSQLOp):
    """An index or constraint that gets another name: Alembic has no operation for that."""

    def __init__(self, template: str, old: str, new: str) -> None:
        """Rename `old` to `new`, both quoted, by a `template` that holds both."""
        super().__init__(template.format(old=old, new=new))
        self._back = (template, new, old)

    def reverse(self) -> RenameSQLOp:
        """The way back."""
        return RenameSQLOp(*self._back)


@renderers.dispatch_for(RenameTableOp)
def render_table_rename(_: Any, op: RenameTableOp) -> str:
    """The line for a revision file."""
    schema = f", schema={op.schema!r}" if op.schema else ""
    return f"op.rename_table({op.table_name!r}, {op.new_table_name!r}{schema})"
