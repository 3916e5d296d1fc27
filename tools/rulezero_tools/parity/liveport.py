"""What parity needs of a live schema; an edge implements it."""

from typing import Protocol

from rulezero_tools.parity.records import Listing
from rulezero_tools.records import Diff


class Live(Protocol):
    """One database as it stands, wherever it stands; every method raises `ProjectError`."""

    def gap(self) -> Diff:
        """What autogenerate would write if the database were at the heads.

        The database may stand at any revision, or at one that no file has.
        """
        ...

    def listing(self) -> Listing:
        """What the live catalogue names, by whoever made it."""
        ...
