"""What the use cases need to rehearse; an edge implements it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal
from rulezero_tools.parity.records import Built


def silent(_doing: str) -> None:
    """Nobody wants to know what is being done: for whatever takes a `progress`."""


class Rehearser(Protocol):
    """Runs revisions where nothing is lost: on a shadow that is made for it and thrown away."""

    def on(self, bind: str | None) -> "Rehearser":
        """One for that database of the project."""
        ...

    def rehearse(
        self,
        *,
        direction: Literal["upgrade", "downgrade", "undo"],
        start: Sequence[str],
        to: str,
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        skip: Sequence[str] = (),
        statements: Sequence[str] = (),
        progress: Callable[[str], None] = silent,
    ) -> Rehearsal | NotRehearsed:
        """Go from `start` to `to`, back, and (for an upgrade) there again.

        Args:
            direction: Of the first leg.
            start: The revisions that the target is at; empty for base.
            to: A revision, or "base".
            identity: Of the target, which the shadow must not be.
            files: Every file that may run, by path under the project: these bytes run.
            skip: Statements of the first revision that are committed already.
            statements: SQL that is sent before the revisions; with it, or with `skip`, there is no
                way back to rehearse.
            progress: Is told what is being done, in a few words.

        Returns:
            What was seen; a shadow that cannot be made is an answer, not an error.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        ...

    def twice(
        self,
        *,
        start: Sequence[str],
        to: str,
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        reads: int,
    ) -> Rehearsal | NotRehearsed:
        """Upgrade, and once more with nothing left to do; old rows are read in between.

        Args:
            start: The revisions that the target is at; empty for base.
            to: A revision, or "heads".
            identity: Of the target, which the shadow must not be.
            files: Every file that may run, by path under the project: these bytes run.
            reads: Rows that are read through each mapped class at most.

        Returns:
            What was seen, the second time as `again`; a shadow that cannot be made is an answer.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        ...

    def build(
        self, *, start: Sequence[str], identity: DatabaseIdentity, files: Mapping[str, bytes]
    ) -> Built | NotRehearsed:
        """Have the revisions make an empty shadow: up to `start`, and on to the heads.

        Args:
            start: The revisions that the target is at, as far as there are files of them.
            identity: Of the target, of which nothing is copied.
            files: Every file that may run, by path under the project: these bytes run.

        Returns:
            What they made; a shadow that cannot be made is an answer, not an error.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        ...
