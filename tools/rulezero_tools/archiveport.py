"""What the use cases ask about archives."""

from typing import Protocol

from rulezero_tools.records import Kept


class Archived(Protocol):
    """A target in which revisions may have left archives."""

    def archives(self) -> tuple[Kept, ...]:
        """The archives that revisions left in the target, by name.

        Raises:
            ProjectError: The target cannot be asked.
        """
        ...
