"""What changes in phases need of a project."""

from collections.abc import Sequence
from typing import Protocol

from rulezero_policies.renames import Rename
from rulezero_tools.records import Generated, PhaseFile, Shape


class Phased(Protocol):
    """A project whose tables can be looked at, and that takes several revisions at once."""

    def write_sequence(
        self,
        files: Sequence[PhaseFile],
        without: Sequence[tuple[str, str]],
        renames: Sequence[Rename] = (),
    ) -> tuple[Generated, ...]:
        """Write these revisions in a row; the first takes what else autogenerate wants.

        `without` are tables and columns whose changes the files make themselves.
        """
        ...

    def shapes(self, tables: Sequence[str]) -> tuple[Shape, ...]:
        """These tables of the default schema as they stand; what is not there is left out."""
        ...
