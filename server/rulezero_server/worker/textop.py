"""Python text as an operation, so that Alembic writes it where its own operations stand."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops


class TextOp(ops.MigrateOperation):
    """Lines of a revision's `upgrade()` or `downgrade()`, as they are to stand there."""

    def __init__(self, lines: list[str]) -> None:
        """Write `lines`."""
        self.lines = list(lines)


@renderers.dispatch_for(TextOp)
def render_text(_: Any, op: TextOp) -> list[str]:
    """The lines for a revision file."""
    return op.lines or ["pass"]
