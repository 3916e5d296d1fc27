"""Backups of an SQLite file: copies by SQLite's own backup API, of one moment."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rulezero_policies.backup import Backup, TableRows
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.rehearsal import TableSize
from rulezero_policies.steps import Place
from rulezero_server.backups.kinds import Carried, Foreseen, Tried, rows_of, unlike
from rulezero_server.shadows import Order, folders
from rulezero_server.shadows import sqlite as files
from rulezero_server.shadows.errors import NoShadow
from rulezero_tools.backupport import Standing

SUFFIX: str = ".sqlite"
MEND = "See whether the file can be read, and whether the folder for backups has room."


def foresee(order: Order, touched: Sequence[Place] | None, most: float) -> Foreseen | None:
    """The whole file, whatever its size: a copy of a part of it could not be put back."""
    del touched, most
    size = files.bytes_of(_target(order))
    return Foreseen(form="copy", bytes=size) if size else None


def write(order: Order, tables: Sequence[str], file: Path) -> tuple[TableRows, ...]:
    """Copy what is committed."""
    del tables
    _copied(order, _target(order), file)
    return _rows(files.live_sizes(file))


def tried(order: Order, file: Path, rows: Sequence[TableRows]) -> Tried:
    """Restore it into a new file beside it, which has to be sound and hold the same rows."""
    with folders.private(file.parent) as place:
        copy = place / "tried.sqlite"
        _copied(order, file, copy)
        with files.told(MEND):
            sound = files.sound(copy)
        if not sound:
            raise NoShadow("SQLite's integrity_check finds faults in the copy, as in the file", "")
        found = _rows(files.sizes_of(copy))
    wrong = unlike(rows, found)
    if wrong:
        raise NoShadow(wrong, MEND)
    how = f"restored into a new file: {rows_of(found)}, integrity_check passed"
    return Tried(verified=True, checked=how)


def command(identity: DatabaseIdentity, file: Path) -> str:
    """What a person types; the shell of SQLite copies in one transaction."""
    restore = shlex.quote(f".restore '{file}'")
    return f"sqlite3 {shlex.quote(identity.name)} {restore}"


def standing(order: Order, backup: Backup) -> Standing:
    """The tables as they are; `mark` comes from a connection of the project's own."""
    del backup
    return Standing(rows=_rows(files.live_sizes(_target(order))))


def carried(order: Order, backup: Backup, place: Path) -> Carried:
    """Nothing but the file is needed."""
    del order, backup, place
    return Carried(args={})


def _target(order: Order) -> Path:
    return Path(str(order.access["path"]))


def _copied(order: Order, source: Path, copy: Path) -> None:
    with files.told(MEND):
        files.copied(order, source, copy)


def _rows(sizes: Sequence[TableSize]) -> tuple[TableRows, ...]:
    return tuple(TableRows(table=one.table, rows=one.rows) for one in sizes)
