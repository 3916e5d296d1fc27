"""What files plans need of the world; an edge implements it. No value passes through here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from rulezero_policies.parity.changes import FileChange, SettingsFile
from rulezero_policies.parity.consolidation import ComposeService
from rulezero_policies.plan import Plan

FileState = Literal["old", "new"]


class SettingsFiles(Protocol):
    """The settings files of one project, by their paths in it."""

    @property
    def root(self) -> str:
        """The folder that their paths are under, resolved."""
        ...

    @property
    def backups(self) -> str:
        """The folder where each plan's backup is put, by the plan's name."""
        ...

    def protected(self, environment: str) -> bool:
        """Whether the configuration marks that environment as protected."""
        ...

    def meant_for(self, path: str) -> str | None:
        """The environment that a file is for by its own name, whatever a configuration says."""
        ...

    def marks(self, paths: Iterable[str], *, follow: bool = False) -> Mapping[str, str]:
        """The keyed hash of each file as it is now; those that are not there are left out.

        With `follow` links are followed, and what lies outside the project is left out.

        Raises:
            FileRefused: One is no plain text file inside the project.
        """
        ...

    def compose(self) -> tuple[ComposeService, ...]:
        """Every service of the project's compose files that reads settings files.

        Raises:
            FileRefused: One of them is no plain text file.
        """
        ...

    def foresee(self, changes: Sequence[FileChange]) -> tuple[SettingsFile, ...]:
        """What each edited file is and would become; nothing is written.

        Raises:
            FileRefused: One is none that may be edited, or cannot be without changing more.
        """
        ...

    def foresee_restore(self, plan_id: str) -> tuple[SettingsFile, ...]:
        """What each file is and would become if the backup of a plan were put back.

        Raises:
            FileRefused: A file is none that may be written, or there is no such backup.
        """
        ...

    def states(self, plan: Plan) -> Mapping[str, FileState]:
        """Which content each file of a plan has that ran, or was cut off while it ran.

        Raises:
            FileRefused: What stands there now cannot be looked at.
        """
        ...

    def forget(self, plan: Plan) -> None:
        """Remove new contents that a killed run left beside its files; it fails at nothing."""
        ...
