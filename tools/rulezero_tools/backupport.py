"""What the use cases need of backups; an edge implements it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rulezero_policies.backup import Backup, PlannedBackup, TableRows
from rulezero_policies.plan import DatabaseIdentity, Plan
from rulezero_policies.steps import Place


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The database as it stands, for a backup that is to be put back.

    `first`, `last` and `mark` as `rulezero_policies.backup.Restoring` has them; `rows` are the
    tables of now, `replaced` those of them that the backup takes the place of or removes.
    """

    rows: tuple[TableRows, ...]
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    mark: str | None = None


class Backups(Protocol):
    """Makes backups of the project's database, tries them, and looks at them again."""

    def on(self, bind: str | None) -> "Backups":
        """Those of that database of the project."""
        ...

    def foresee(
        self, identity: DatabaseIdentity, tables: Sequence[Place] | None
    ) -> PlannedBackup | None:
        """What backup can be made; None where the database holds nothing.

        Args:
            identity: Which database.
            tables: Those that are touched, for a database too large to be backed up whole; None
                where that is not known.
        """
        ...

    def make(self, plan: Plan, progress: Callable[[str], None]) -> Backup:
        """Make the backup that `plan` promises, on the disk and tried.

        Raises:
            BackupFailed: It cannot be made; nothing of it is left.
            ProjectError: The project cannot be loaded.
        """
        ...

    def discard(self, backup: Backup) -> None:
        """Remove a backup that was just made for a run that does not begin."""
        ...

    def unchanged(self, backup: Backup) -> bool:
        """Whether the file is there and holds the very bytes that were written."""
        ...

    def standing(self, backup: Backup) -> Standing:
        """How the database stands that `backup` would be put back into; it is only read.

        Raises:
            BackupUnusable: It cannot be put back from here.
            ProjectError: The project cannot be loaded.
        """
        ...

    def mark(self) -> str | None:
        """What names the tables as they are: another text once they were put back.

        Raises:
            ProjectError: The database cannot be asked.
        """
        ...
