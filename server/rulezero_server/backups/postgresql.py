"""Backups of a PostgreSQL database: pg_dump's custom format, of one snapshot."""

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from rulezero_policies.backup import Backup, TableRows
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.steps import Place
from rulezero_server.backups import pgobjects
from rulezero_server.backups.kinds import Carried, Foreseen, Tried, rows_of, unlike
from rulezero_server.shadows import (
    Order,
    folders,
    pgcatalogue,
    pginstalls,
    pgrestore,
    pgserver,
    programs,
    psql,
)
from rulezero_server.shadows import postgresql as copies
from rulezero_server.shadows.errors import NoShadow
from rulezero_tools.backupport import Standing

SUFFIX: str = ".pgdump"
MEND = "See whether the project's user may read every table, and that nobody holds a lock on one."

_DUMP = (
    "--format=custom", "--compress=1", "--no-sync", "--no-subscriptions", "--no-security-labels",
    "--lock-wait-timeout=5000",
)  # fmt: skip

_WHAT = "the target could not be read for the backup"

COUNTED = 10_000_000
"""Rows of a table up to which they are counted before a restore is planned."""


def foresee(order: Order, touched: Sequence[Place] | None, most: float) -> Foreseen | None:
    """The whole database, or of a larger one the tables that are touched.

    Raises:
        NoShadow: There is no pg_dump for it, or it may not read everything.
    """
    target, facts = _target(order)
    if not facts.tables:
        return None
    size = sum(table.bytes for table in facts.tables)
    chosen = _chosen(facts, touched) if size > most * 1e6 else ()
    tables = tuple(table.quoted for table in chosen)
    # What may not be read is known before anybody relies on it: a dump locks as it would then.
    _dumped(target, Path(os.devnull), *_named(tables), "--schema-only")
    if not chosen:
        return Foreseen(form="pg_dump", bytes=size)
    note = f"The whole has {size / 1e6:,.0f} MB, more than [apply] backup_megabytes ({most:g})"
    bytes_ = sum(table.bytes for table in chosen)
    return Foreseen(form="pg_dump", bytes=bytes_, tables=tables, notes=(note,))


def write(order: Order, tables: Sequence[str], file: Path) -> tuple[TableRows, ...]:
    """Dump and count in one snapshot.

    Raises:
        NoShadow: The target cannot be read.
    """
    target, facts = _target(order)
    held = [t for t in facts.tables if not tables or t.quoted in tables]
    with psql.session(target) as session:
        session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", _WHAT)
        snapshot = session.ask("SELECT pg_export_snapshot()", _WHAT).decode().strip()
        counts: list[int] = (
            json.loads(session.ask(pgcatalogue.counting(held), _WHAT)) if held else []
        )
        _dumped(target, file, *_named(tables), f"--snapshot={snapshot}")
    return _rows(facts, held, counts)


def tried(order: Order, file: Path, rows: Sequence[TableRows]) -> Tried:
    """Restore it on a server where shadows stand, and count.

    Raises:
        NoShadow: It holds something else than it should.
    """
    target, facts = _target(order)
    stays = copies.stays(order)
    if not order.wishes.copies_rows(protected=order.protected, stays=stays):
        return _read_through(target, file)
    try:
        with folders.private() as folder:
            return _restored(order, target, facts, folder / "list.of", file, rows)
    except _NoPlaceError as why:
        return Tried(verified=False, checked=f"not restored, {why}; the file was written whole")


class _NoPlaceError(Exception):
    """There is no server to try it on."""


def _restored(
    order: Order,
    target: psql.Server,
    facts: pgcatalogue.Facts,
    linked: Path,
    file: Path,
    rows: Sequence[TableRows],
) -> Tried:
    linked.symlink_to(file)  # what is written beside it belongs to no backup
    try:
        place = pgserver.host(order, target, facts)
    except NoShadow as why:
        raise _NoPlaceError(why.reason) from why
    with pgserver.database(place, facts) as made:
        lacks = list(pgrestore.prepare(place, made, facts))
        partly = len(rows) < len(facts.tables)
        if partly:
            schema = linked.with_name("schema")
            pgrestore.dump(target, schema, "--schema-only")
            lacks += pgrestore.restore(made, schema, facts, "pre-data")
        lacks += pgrestore.restore(made, linked, facts, *(["data"] if partly else []))
        here = pgcatalogue.read(made.owner)
        found = _rows(facts, here.tables, pgcatalogue.counts(made.owner, here.tables))
    wrong = unlike(rows, found)
    if wrong and place.major < facts.major:
        raise _NoPlaceError(f"{place.where} is older than the target")
    if wrong:
        raise NoShadow(wrong, "Look at the first of these: " + "; ".join(lacks[:3]))
    but = f"; there without {', '.join(lacks[:5])}" if lacks else ""
    return Tried(verified=True, checked=f"restored on {place.where}: {rows_of(rows)}{but}")


def _read_through(target: psql.Server, file: Path) -> Tried:
    """Rows of a protected database are put on no other server: the archive is read to its end."""
    ran = target.run("pg_restore", f"--file={os.devnull}", str(file))
    programs.checked(ran, "the backup cannot be read", MEND)
    how = "rows of a protected database are put on no other server; it was read to its end"
    return Tried(verified=False, checked=how)


def command(identity: DatabaseIdentity, file: Path) -> str:
    """What a person types; their own user and password are theirs to give."""
    port = f":{identity.port}" if identity.port else ""
    host = identity.host or ""
    where = (
        f"postgresql:///{identity.name}?host={host}"
        if host.startswith("/")
        else f"postgresql://{host}{port}/{identity.name}"
    )
    how = "--clean --if-exists --single-transaction --exit-on-error"
    return f"pg_restore {how} --dbname={shlex.quote(where)} {shlex.quote(str(file))}"


def standing(order: Order, backup: Backup) -> Standing:
    """The tables as they are, and what has to go for the backup to come back.

    Raises:
        NoShadow: The target cannot be read, or the backup cannot.
    """
    target, facts = _target(order)
    pgobjects.refuse_unrestricted(target.install)
    counts = pgcatalogue.counts(target, facts.tables, most=COUNTED)
    first, last = pgobjects.around(target, backup)
    rows = _rows(facts, facts.tables, counts)
    return Standing(rows=rows, first=first, last=last)


def carried(order: Order, backup: Backup, place: Path) -> Carried:
    """The programs of a restore, what they read, and how they connect.

    Raises:
        NoShadow: One of them is missing, or the backup cannot be read.
    """
    target, _ = _target(order)
    pgobjects.refuse_unrestricted(target.install)
    target = copies.target_of(order, target.install, asked=_WAITING)
    listed = place / "list"
    listed.write_text(pgobjects.listed(target, backup), encoding="utf-8")
    whole = [] if backup.tables else ["--single-transaction"]
    read = [
        target.install.program("pg_restore"), "--clean", "--if-exists", "--no-security-labels",
        *whole, f"--use-list={listed}", "--file=-", backup.path,
    ]  # fmt: skip
    write = [target.install.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    return Carried(
        args={"read": read, "write": write},
        secret={"variables": {**target.variables, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"}},
    )


_WAITING = "-c lock_timeout=5s -c client_min_messages=warning -c default_transaction_read_only=off"


def _target(order: Order) -> tuple[psql.Server, pgcatalogue.Facts]:
    """The target for programs of its version, and what it is."""
    facts = pgcatalogue.read(copies.target_of(order, pginstalls.any_client()))
    return copies.target_of(order, pginstalls.client(facts.major)), facts


def _chosen(
    facts: pgcatalogue.Facts, touched: Sequence[Place] | None
) -> tuple[pgcatalogue.Table, ...]:
    """The touched tables with Alembic's own; none where one of them is not known."""
    there = {(t.schema, t.name): t for t in facts.tables}
    found = [there.get((s or facts.schema or "", name)) for s, name in touched or ()]
    if not found or None in found:
        return ()
    wanted = {t.oid for t in found if t is not None}
    return tuple(t for t in facts.tables if t.oid in wanted or t.version)


def _named(tables: Sequence[str]) -> list[str]:
    return [f"--table={name}" for name in tables]


def _dumped(target: psql.Server, file: Path, *more: str) -> None:
    ran = target.run("pg_dump", *_DUMP, *more, f"--file={file}")
    programs.checked(ran, "pg_dump failed", MEND)


def _rows(
    facts: pgcatalogue.Facts, tables: Sequence[pgcatalogue.Table], counts: Sequence[int]
) -> tuple[TableRows, ...]:
    return tuple(
        TableRows(table=name, schema=schema, rows=count)
        for (name, schema), count in zip(map(facts.called, tables), counts, strict=True)
    )
