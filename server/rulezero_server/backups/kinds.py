"""What the backups of the several databases have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rulezero_policies.backup import Backup, BackupForm, TableRows
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.steps import Place
from rulezero_server.shadows import Order
from rulezero_tools.backupport import Standing


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What would be backed up: `tables` none for the whole, `bytes` as the database counts them."""

    form: BackupForm
    bytes: int | None
    tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Whether a backup was restored and compared, and how; or why not."""

    verified: bool
    checked: str


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What the process of a restore is told: `args` on the disk, `secret` in its environment."""

    args: Mapping[str, Any]
    secret: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


class Kind(Protocol):
    """One kind of database: a module."""

    SUFFIX: str

    def foresee(
        self, order: Order, touched: Sequence[Place] | None, most: float
    ) -> Foreseen | None:
        """What would be backed up; None where there is nothing.

        Args:
            order: The target.
            touched: The tables that alone are backed up of a larger database; None: not known.
            most: Megabytes up to which the whole database is.

        Raises:
            NoShadow: No backup can be made.
        """
        ...

    def write(self, order: Order, tables: Sequence[str], file: Path) -> tuple[TableRows, ...]:
        """Write the backup into a new file: the rows that it holds.

        Raises:
            NoShadow: It cannot be made.
        """
        ...

    def tried(self, order: Order, file: Path, rows: Sequence[TableRows]) -> Tried:
        """Restore the backup where nothing is lost, and compare.

        Raises:
            NoShadow: It could not be tried.
        """
        ...

    def command(self, identity: DatabaseIdentity, file: Path) -> str:
        """What a person types to restore it; no secret is in it."""
        ...

    def standing(self, order: Order, backup: Backup) -> Standing:
        """How the database stands that a backup would be put back into.

        Raises:
            NoShadow: It cannot be read, or the backup cannot be put back.
        """
        ...

    def carried(self, order: Order, backup: Backup, place: Path) -> Carried:
        """What the process is told that puts it back; `place` is its own folder.

        Raises:
            NoShadow: A program for it is missing.
        """
        ...


def rows_of(rows: Sequence[TableRows]) -> str:
    """Tables and rows, counted."""
    many = sum(one.rows for one in rows)
    tables = f"{len(rows)} table{'' if len(rows) == 1 else 's'}"
    return f"{tables} with {many:,} row{'' if many == 1 else 's'}"


def unlike(wanted: Sequence[TableRows], found: Sequence[TableRows]) -> str | None:
    """The first table that is not there, or has not the rows that it should; None if all do."""
    there = {(one.schema, one.table): one.rows for one in found}
    for one in wanted:
        rows = there.get((one.schema, one.table))
        if rows is None:
            return f"the table {one.table} is missing in what was restored"
        if rows != one.rows:
            return f"{one.table} has {rows:,} rows in what was restored, and had {one.rows:,}"
    return None
