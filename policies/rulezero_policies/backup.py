"""Backups: when one is made, what of, and how it is said to whoever decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rulezero_policies.operations import Operation
from rulezero_policies.steps import Place, walk

BackupWhen = Literal["never", "critical", "always"]
"""Before which runs a backup is made; each asks for more than the one before."""

WHEN: tuple[BackupWhen, ...] = ("never", "critical", "always")

BackupForm = Literal["copy", "pg_dump", "mariadb-dump"]
"""A copy of an SQLite file, `pg_dump`'s custom format, or SQL as `mariadb-dump` writes it."""

ATTESTED = "I have a backup"
"""What a person types where a backup is asked for and none can be made."""

RESTORE_PHRASE = "yes, restore it"
"""What a person types before a database is put back to what a backup holds."""

_FORMS: dict[BackupForm, str] = {
    "copy": "a copy of the file",
    "pg_dump": "pg_dump, custom format",
    "mariadb-dump": "mariadb-dump, SQL",
}


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """How many rows a table has; `schema` None is the default one."""

    table: str
    schema: str | None = None
    rows: int


@dataclass(frozen=True, kw_only=True)
class PlannedBackup:
    """The backup that is made right before a plan runs; with `refused`, why there will be none.

    `tables` are those it is of, none for the whole database; `bytes` is what the database says
    that these take, not how large the file will be. `notes` say what it does not hold.
    """

    form: BackupForm
    folder: str
    tables: tuple[str, ...] = ()
    bytes: int | None = None
    notes: tuple[str, ...] = ()
    refused: str | None = None
    mend: str | None = None


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup that was made: the plan that it was made for, of what, when, where, and how good.

    `database` is the label of its identity, `revisions` and `fingerprint` are what it stood at.
    `tables` as planned; `rows` is what it holds. `verified` is whether it was restored and
    compared; `checked` says how, or why not. `command` restores it, typed by a person.
    """

    plan_id: str
    database: str
    revisions: tuple[str, ...]
    fingerprint: str | None
    made: datetime
    path: str
    form: BackupForm
    bytes: int
    sha256: str
    tables: tuple[str, ...]
    rows: tuple[TableRows, ...]
    verified: bool
    checked: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Restoring:
    """What a restore puts back.

    `first` and `last` are the statements that are sent before and after what the backup holds, in
    the same transaction where there is one. `mark` names the tables as they stand now: it is
    another one once they were put back.
    """

    backup: Backup
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    mark: str | None = None


def stricter(one: BackupWhen, other: BackupWhen) -> BackupWhen:
    """Whichever of both asks for more."""
    return one if WHEN.index(one) >= WHEN.index(other) else other


def wanted(when: BackupWhen, *, critical: bool) -> bool:
    """Whether a run needs a backup, or a person's word that there is one."""
    return when == "always" or (when == "critical" and critical)


def affected(operations: Iterable[Operation]) -> tuple[Place, ...] | None:
    """The tables that these steps may change; None where that cannot be told."""
    found: list[Place] = []
    for step in walk(operations):
        kind = step.operation.kind
        # What SQL does beside what was read of it, and what a deleted row takes along, stands in
        # other tables.
        if step.new_table or kind == "create_table":
            continue
        if kind in {"execute", "statement", "opaque"} or not step.table:
            return None
        found.append((step.schema, step.table))
    return tuple(dict.fromkeys(found))


def attests(planned: PlannedBackup | None) -> bool:
    """Whether a person has to say that there is a backup."""
    return planned is not None and planned.refused is not None


def of_what(tables: tuple[str, ...]) -> str:
    """The whole database, or which tables."""
    if not tables:
        return "the whole database"
    more = f" and {len(tables) - 5} more" if len(tables) > 5 else ""
    return f"the tables {', '.join(tables[:5])}{more} alone"


def size(number: int | None) -> str:
    """A number of bytes, for people."""
    if number is None:
        return "of unknown size"
    for unit, bytes_ in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= bytes_:
            return f"{number / bytes_:.1f} {unit}"
    return f"{number} bytes"


def line(planned: PlannedBackup) -> str:
    """What is said about the backup of a plan, before anybody decides."""
    if planned.refused is not None:
        mend = f" {planned.mend}" if planned.mend else ""
        return (
            f"NONE can be made: {planned.refused}. Whoever approves states that there is one "
            f"({ATTESTED!r}).{mend}"
        )
    notes = "".join(f" {note}." for note in planned.notes)
    return (
        f"{of_what(planned.tables)} ({size(planned.bytes)}; {_FORMS[planned.form]}), made in "
        f"{planned.folder} and tried before anything runs; if that fails, nothing runs.{notes}"
    )


def made_line(backup: Backup) -> str:
    """What is said about a backup that was made."""
    how = "verified" if backup.verified else "not verified"
    return (
        f"{of_what(backup.tables)}, {size(backup.bytes)}, at {backup.path} ({how}: "
        f"{backup.checked}). To restore by hand: {backup.command}"
    )
