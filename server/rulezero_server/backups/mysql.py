"""Backups of a MariaDB or MySQL database: SQL, as its own dump program writes it."""

import contextlib
import os
import shlex
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rulezero_policies.backup import Backup, TableRows
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.steps import Place
from rulezero_server.backups.kinds import Carried, Foreseen, Tried, rows_of, unlike
from rulezero_server.shadows import (
    Order,
    folders,
    mycatalogue,
    myclient,
    mydump,
    myserver,
    programs,
)
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.myclient import identifier
from rulezero_tools.backupport import Standing

SUFFIX: str = ".sql"
MEND = "See whether the project's user may read every table, view, routine, trigger and event."

_DUMP = (
    "--single-transaction", "--skip-lock-tables", "--skip-add-locks", "--add-drop-table",
    "--no-tablespaces", "--hex-blob", "--quick", "--triggers", "--skip-dump-date",
)  # fmt: skip
_WHOLE = ("--routines", "--events")

_OTHERS = """
SELECT JSON_QUOTE(table_name) FROM information_schema.tables
WHERE table_schema = database() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'
ORDER BY table_name
"""

_OBJECTS = """
SELECT JSON_ARRAY(kind, name) FROM (
  SELECT IF(table_type = 'VIEW', 2, 1) AS place,
         CASE table_type WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END
         AS kind, table_name AS name
    FROM information_schema.tables WHERE table_schema = database()
  UNION ALL SELECT 3, routine_type, routine_name FROM information_schema.routines
    WHERE routine_schema = database() AND routine_type IN ('PROCEDURE', 'FUNCTION')
  UNION ALL SELECT 4, 'EVENT', event_name FROM information_schema.events
    WHERE event_schema = database()) found ORDER BY place, name
"""
"""Tables first: what was done to the rest alone would not be seen afterwards."""

_SESSION = "SET SESSION foreign_key_checks = 0, lock_wait_timeout = 5, innodb_lock_wait_timeout = 5"
"""Tables go in any order, and who waits behind a long reader lets nobody else in."""

COUNTED = 10_000_000
"""Rows of a table up to which they are counted."""

_COMPLETE = b"-- Dump completed"


def foresee(order: Order, touched: Sequence[Place] | None, most: float) -> Foreseen | None:
    """The whole database, or of a larger one the tables that are touched.

    Raises:
        NoShadow: There is no dump program, or it may not read everything.
    """
    with _target(order) as (target, facts):
        if not facts.tables:
            return None
        size = sum(table.bytes for table in facts.tables)
        chosen = _chosen(facts, touched) if size > most * 1e6 else ()
        tables = tuple(table.name for table in chosen)
        dumped(target, Path(os.devnull), tables, "--no-data")
        others = target.asked(_OTHERS, "its tables cannot be read", MEND)
    notes = [
        f"{name} is no InnoDB table: what is written to it meanwhile may be in it in part"
        for name in others
        if not tables or name in tables
    ]
    if tables:
        whole = f"The whole has {size / 1e6:,.0f} MB"
        notes.append(f"{whole}, more than [apply] backup_megabytes ({most:g})")
        size = sum(table.bytes for table in chosen)
    return Foreseen(form="mariadb-dump", bytes=size, tables=tables, notes=tuple(notes))


def write(order: Order, tables: Sequence[str], file: Path) -> tuple[TableRows, ...]:
    """Dump; the rows are counted right before.

    Raises:
        NoShadow: The target cannot be read.
    """
    with _target(order) as (target, facts):
        held = [t for t in facts.tables if not tables or t.name in tables]
        rows = _rows(mycatalogue.counted(target, held, 10**12))
        dumped(target, file, tables)
    with file.open("rb") as written:
        written.seek(max(0, file.stat().st_size - 200))
        if _COMPLETE not in written.read():
            raise NoShadow("the dump program wrote no whole backup", MEND)
    return rows


def tried(order: Order, file: Path, rows: Sequence[TableRows]) -> Tried:
    """Restore it on a server where shadows stand, and count.

    Raises:
        NoShadow: It holds something else than it should.
    """
    if not order.wishes.copies_rows(
        protected=order.protected, stays=order.wishes.place("mysql") == "server"
    ):
        how = "rows of a protected database are put on no other server; the file is complete"
        return Tried(verified=False, checked=how)
    with _target(order) as (target, facts), folders.private() as folder:
        try:
            place = myserver.host(order, target, facts, folder / "admin.cnf")
        except NoShadow as why:
            how = f"not restored, {why.reason}; the file is complete"
            return Tried(verified=False, checked=how)
        with myserver.database(place, facts, folder / "owner.cnf") as made:
            lacks = mydump.loaded(made.owner, file, target.database or "", folder / "plain.sql")
            here = tuple(mycatalogue.tables(made.owner))
            found = _rows(mycatalogue.counted(made.owner, here, 10**12))
        wrong = unlike(rows, found)
        if wrong is None:
            but = f"; there without {', '.join(lacks[:5])}" if lacks else ""
            how = f"restored on {place.where}: {rows_of(rows)}{but}"
            return Tried(verified=True, checked=how)
        held = [t for t in facts.tables if any(t.name == one.table for one in rows)]
        now = _rows(mycatalogue.counted(target, held, 10**12))
    if tuple(rows) == now:
        raise NoShadow(wrong, "Look at the first of these: " + "; ".join(lacks[:3]))
    how = f"restored on {place.where}; rows were written meanwhile, so that counts differ: {wrong}"
    return Tried(verified=False, checked=how)


def command(identity: DatabaseIdentity, file: Path) -> str:
    """What a person types; their own user and password are theirs to give."""
    where = [f"--host={shlex.quote(identity.host)}"] if identity.host else []
    if identity.host and identity.host.startswith("/"):
        where = [f"--socket={shlex.quote(identity.host)}"]
    where += [f"--port={identity.port}"] if identity.port else []
    name = shlex.quote(identity.name)
    return " ".join(["mariadb", *where, "--binary-mode", name, "<", shlex.quote(str(file))])


def standing(order: Order, backup: Backup) -> Standing:
    """The tables as they are, and what has to go for a whole backup to come back.

    Raises:
        NoShadow: The target cannot be read.
    """
    with _target(order) as (target, facts):
        rows = _rows(mycatalogue.counted(target, facts.tables, COUNTED))
        objects: list[list[str]] = (
            [] if backup.tables else target.asked(_OBJECTS, "its objects cannot be read", MEND)
        )
    drops = tuple(f"DROP {kind} IF EXISTS {identifier(name)}" for kind, name in objects)
    return Standing(rows=rows, first=(_SESSION, *drops))


def carried(order: Order, backup: Backup, place: Path) -> Carried:
    """The client, what it reads, and how it connects.

    Raises:
        NoShadow: It is missing.
    """
    del backup
    with _target(order) as (target, _):
        kept = replace(target, file=place / "client.cnf")
        write = kept.client("--binary-mode", "--batch")
        variables = {**kept.variables, "LC_ALL": "C"}
    return Carried(args={"write": write}, secret={"variables": variables})


@contextlib.contextmanager
def _target(order: Order) -> Generator[tuple[myclient.Server, mycatalogue.Facts]]:
    driver: dict[str, Any] = dict(order.access.get("driver") or {})
    with folders.private() as folder:
        target = myclient.of_driver(
            driver,
            dialect=str(order.access["dialect"]),
            file=folder / "target.cnf",
            until=order.until,
        )
        facts = mycatalogue.read(target)
        yield replace(target, dialect="mariadb" if facts.is_mariadb else "mysql"), facts


def _chosen(
    facts: mycatalogue.Facts, touched: Sequence[Place] | None
) -> tuple[mycatalogue.Held, ...]:
    """The touched tables with Alembic's own; none where one of them is not known."""
    there = {table.name for table in facts.tables}
    if not touched or any(schema or name not in there for schema, name in touched):
        return ()
    wanted = {name for _, name in touched}
    return tuple(t for t in facts.tables if t.name in wanted or t.version)


def dumped(target: myclient.Server, file: Path, tables: Sequence[str], *more: str) -> None:
    """Dump these tables, or everything.

    Raises:
        NoShadow: It cannot be read.
    """
    what = () if tables else _WHOLE
    ran = target.dump(*_DUMP, *what, *more, f"--result-file={file}", tables=tables)
    programs.checked(ran, "the dump program failed", MEND)


def _rows(tables: Sequence[mycatalogue.Held]) -> tuple[TableRows, ...]:
    return tuple(TableRows(table=one.name, rows=one.rows) for one in tables)
