"""Backups of the project's database, by the databases' own means; only their owner reads them."""

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rulezero_policies.backup import Backup, BackupForm, PlannedBackup
from rulezero_policies.errors import BackupFailed, BackupUnusable, ProjectError, StillRunning
from rulezero_policies.plan import DatabaseIdentity, Plan
from rulezero_policies.policy import is_protected
from rulezero_policies.steps import Place
from rulezero_server.backups import keeping
from rulezero_server.backups.kinds import Foreseen, Kind
from rulezero_server.shadows import Order, folders
from rulezero_server.shadows.errors import NoShadow
from rulezero_tools.backupport import Standing

if TYPE_CHECKING:
    from rulezero_server.preferences import Preferences
    from rulezero_server.project import WorkerProject

SECONDS = 6 * 3600.0
"""Seconds that a backup may take; and once more as long, that trying it may."""

LOOKING = 60.0
"""Seconds for finding out whether one can be made."""

COUNTING = 600.0
"""Seconds for counting the rows that a restore would replace."""

_FORMS: dict[str, BackupForm] = {
    "sqlite": "copy",
    "postgresql": "pg_dump",
    "mysql": "mariadb-dump",
    "mariadb": "mariadb-dump",
}


def kind(dialect: str) -> Kind:
    """What makes backups of databases of this dialect; only that is imported.

    Raises:
        NoShadow: Nothing does.
    """
    if dialect == "sqlite":
        from rulezero_server.backups import sqlite as found  # noqa: PLC0415 - start-up time
    elif dialect == "postgresql":
        from rulezero_server.backups import postgresql as found  # noqa: PLC0415
    elif dialect in {"mysql", "mariadb"}:
        from rulezero_server.backups import mysql as found  # noqa: PLC0415
    else:
        raise NoShadow(f"no backup can be made of a database of the kind {dialect!r}", _BY_HAND)
    return found


_BY_HAND = "Make one by hand."


class WorkerBackups:
    """Implements `rulezero_tools.backupport.Backups` for a project behind a worker."""

    def __init__(
        self, project: "WorkerProject", preferences: "Preferences", *, marked: bool
    ) -> None:
        """Back up the database of `project`.

        Args:
            project: Says how its database is connected to.
            preferences: Where backups go, and what the person allows.
            marked: Whether its environment is protected, wherever the database is.
        """
        self._project = project
        self._mine = preferences
        self._marked = marked

    def on(self, bind: str | None) -> "WorkerBackups":
        """Those of that database of the project."""
        return WorkerBackups(self._project.on(bind), self._mine, marked=self._marked)

    def foresee(
        self, identity: DatabaseIdentity, tables: Sequence[Place] | None
    ) -> PlannedBackup | None:
        """What backup can be made; None where the database holds nothing."""
        planned = PlannedBackup(form=_FORMS.get(identity.dialect, "copy"), folder="")
        try:
            top = keeping.folder(self._mine.backup_folder)
            planned = replace(planned, folder=str(top))
            order = self._order(identity, LOOKING)
            found = kind(identity.dialect).foresee(order, tables, self._mine.backup_megabytes)
            return found and _planned(top, found)
        except NoShadow as why:
            return replace(planned, refused=why.reason, mend=why.mend)
        except OSError as error:
            return replace(planned, refused=_reason(error), mend=_FOLDER)
        except ProjectError as error:
            # Its words may be a driver's own.
            reason = f"it is not known how the project connects ({error.code})"
            return replace(planned, refused=reason, mend=_BY_HAND)

    def make(self, plan: Plan, progress: Callable[[str], None]) -> Backup:
        """Make the backup that `plan` promises, on the disk and tried.

        Raises:
            BackupFailed: It cannot be made; nothing of it is left.
            ProjectError: The project cannot be loaded.
        """
        if plan.backup is None:
            raise BackupFailed(reason="none is planned", mend="Make a new plan.")
        try:
            place = keeping.of_plan(Path(plan.backup.folder), plan.plan_id)
            with _alone(place):
                return self._made(plan, plan.backup, place, progress)
        except NoShadow as why:
            raise BackupFailed(reason=why.reason, mend=why.mend) from why
        except OSError as error:
            raise BackupFailed(reason=_reason(error), mend=_FOLDER) from error

    def _made(
        self, plan: Plan, planned: PlannedBackup, place: Path, progress: Callable[[str], None]
    ) -> Backup:
        using = kind(plan.database.dialect)
        file = keeping.fresh(place, using.SUFFIX)
        try:
            progress(f"making the backup ({planned.form})")
            made, order = datetime.now(UTC), self._order(plan.database, SECONDS)
            rows = using.write(order, planned.tables, file)
            keeping.on_disk(file)
            sha256 = keeping.digest(file)
            progress("trying whether the backup can be restored")
            found = using.tried(replace(order, until=time.monotonic() + SECONDS), file, rows)
            file = keeping.finished(file)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return Backup(
            plan_id=plan.plan_id,
            database=plan.database.label,
            revisions=plan.from_revisions,
            fingerprint=plan.fingerprint,
            made=made,
            path=str(file),
            form=planned.form,
            bytes=file.stat().st_size,
            sha256=sha256,
            tables=planned.tables,
            rows=rows,
            verified=found.verified,
            checked=found.checked,
            command=using.command(plan.database, file),
        )

    def discard(self, backup: Backup) -> None:
        """Remove a backup that was just made for a run that does not begin."""
        Path(backup.path).unlink(missing_ok=True)

    def unchanged(self, backup: Backup) -> bool:
        """Whether the file is there and holds the very bytes that were written."""
        try:
            return keeping.digest(Path(backup.path)) == backup.sha256
        except OSError:
            return False

    def standing(self, backup: Backup) -> Standing:
        """How the database stands that `backup` would be put back into; it is only read.

        Raises:
            BackupUnusable: It cannot be put back from here.
            ProjectError: The project cannot be loaded.
        """
        identity = self._project.describe().database.identity
        try:
            found = kind(identity.dialect).standing(self._order(identity, COUNTING), backup)
        except NoShadow as why:
            raise BackupUnusable(reason=why.reason, mend=why.mend) from why
        return replace(found, mark=self.mark())

    def mark(self) -> str | None:
        """What names the tables as they are: another text once they were put back.

        Raises:
            ProjectError: The database cannot be asked.
        """
        return self._project.mark()

    def _order(self, identity: DatabaseIdentity, seconds: float) -> Order:
        wishes = replace(self._mine.rehearsal, megabytes=math.inf, seconds=seconds)
        return Order(
            access=self._project.access(),
            identity=identity,
            wishes=wishes,
            protected=is_protected(marked=self._marked, host=identity.host),
            until=time.monotonic() + seconds,
            variables=self._project.target.variables,
        )


_FOLDER = "See to the folder for backups ([apply] backup_folder in policy.toml) and its disk."


def _reason(error: OSError) -> str:
    return f"the folder for backups cannot be used ({error.strerror or type(error).__name__})"


def _planned(top: Path, found: Foreseen) -> PlannedBackup:
    # A copy of a file is tried beside it.
    copies = 2 if found.form == "copy" else 1
    lacking = keeping.short_of(top, copies * (found.bytes or 0))
    if lacking:
        raise NoShadow(lacking, "Make room, or name another folder: [apply] backup_folder.")
    return PlannedBackup(
        form=found.form,
        folder=str(top),
        tables=found.tables,
        bytes=found.bytes,
        notes=found.notes,
    )


@contextmanager
def _alone(place: Path) -> Generator[None]:
    """One backup of a plan at a time: a second call would only make a second one.

    Raises:
        StillRunning: Another call makes it just now.
    """
    lock = folders.taken(place)
    if lock is None:
        raise StillRunning(tool="apply", doing="making the backup")
    try:
        yield
    finally:
        lock.close()
