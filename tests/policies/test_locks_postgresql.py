"""What is known of PostgreSQL's locks and rewrites, held against a live server."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rulezero_policies import sql
from rulezero_policies.locks import postgresql
from rulezero_policies.operations import Change, Operation

BASE = """
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN dom AS int; CREATE DOMAIN domc AS int CHECK (value > 0);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE parent (id int primary key);
INSERT INTO parent SELECT g FROM generate_series(1, 50) g;
CREATE TABLE t (id serial primary key, a int, n int not null, s varchar(50), tx text,
  num numeric(10,2), unum numeric, ts timestamp, tsz timestamptz, ts3 timestamp(3), b boolean,
  j json, jb jsonb, m mood, ip cidr, c char(10), vb varbit(8), tm time(3), iv interval(3), r real,
  bi bigint, si smallint, u uuid, arr varchar(10)[], pid int);
INSERT INTO t (a, n, s, tx, num, ts, tsz, j, jb, m, pid)
  SELECT g, g, 'x', '1', 1, now(), now(), '{}', '{}', 'a', g FROM generate_series(1, 50) g;
"""

TYPES = {
    "id": "INTEGER", "a": "INTEGER", "n": "INTEGER", "s": "VARCHAR(50)", "tx": "TEXT",
    "num": "NUMERIC(10, 2)", "unum": "NUMERIC", "ts": "TIMESTAMP WITHOUT TIME ZONE",
    "tsz": "TIMESTAMP WITH TIME ZONE", "ts3": "TIMESTAMP(3) WITHOUT TIME ZONE", "j": "JSON",
    "jb": "JSONB", "m": "mood", "ip": "CIDR", "c": "CHAR(10)", "vb": "BIT VARYING(8)",
    "tm": "TIME(3) WITHOUT TIME ZONE", "iv": "INTERVAL(3)", "r": "REAL", "bi": "BIGINT",
    "si": "SMALLINT", "u": "UUID", "arr": "VARCHAR(10)[]",
}  # fmt: skip

COSTS_LESS = {
    "timestamp->timestamptz TZ=UTC": "the session's zone is not known to the rules",
    "timestamptz->timestamp TZ=UTC": "the session's zone is not known to the rules",
    "timestamp->timestamptz indexed TZ=UTC": "the session's zone is not known to the rules",
    "int->domain no check": "what a domain is made of is not known",
    "SET NOT NULL w/ valid CHECK": "whether a CHECK proves it is the rule's question",
    "SET NOT NULL already-PK-ish col": "that it is NOT NULL already is not stated",
    "SET ACCESS METHOD heap(same)": "it usually goes to another method",
    "CREATE TABLE w/ FK to t": "the table is new",
    "ADD COLUMN REFERENCES (null default)": "alembic adds the key in a statement of its own",
}
"""Where the conservative answer is more than what happens, and why."""

COSTS_MORE = {
    "ADD COLUMN domain WITH CHECK default 1": "what a domain checks is not known",
    "ADD COLUMN domain WITH CHECK no default": "what a domain checks is not known",
    "varchar(50)->varchar(100) w/ CHECK on col": "which checks read the column is not known",
    "ADD PRIMARY KEY USING INDEX nullable col": "that the column takes NULL is not known",
}
"""Where more happens than the answer says: hidden from what a statement and a type tell."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One statement, and what a server was seen to do."""

    operation: str
    setup: str
    statement: str
    lock: str
    effect: str
    others: str


def _rows() -> Iterator[Measured]:
    path = Path(__file__).parent / "measured" / "postgresql-locks.tsv"
    with path.open(newline="") as file:
        for row in csv.reader(list(file)[1:], delimiter="\t", quoting=csv.QUOTE_NONE):
            name, setup, statement, versions, lock, others, effect = (*row, "", "")[:7]
            newest = int(versions.split("-")[-1])
            if newest >= 18 and not effect.startswith("error"):
                yield Measured(
                    operation=name,
                    setup=setup,
                    statement=statement,
                    lock=lock,
                    effect=effect,
                    others=others,
                )


ROWS = tuple(_rows())


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    name = "locks_measured"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
    with psycopg.connect(postgres.replace("/postgres?", f"/{name}?", 1)) as connection:
        connection.execute(BASE.encode())
        connection.commit()
        yield connection
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


_LOCKS = """
SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_ORDER = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip


def _seen(server: psycopg.Connection[Any], row: Measured) -> tuple[dict[str, str], bool]:
    """The strongest lock on each table, and whether the table was written anew."""
    try:
        for setup in filter(None, row.setup.split("; ")):
            server.execute(setup.encode())
        before_locks = set(server.execute(_LOCKS.encode()).fetchall())
        before = _file(server)
        server.execute(row.statement.encode())
        after = _file(server)
        taken = set(server.execute(_LOCKS.encode()).fetchall()) - before_locks
    finally:
        server.rollback()
    strongest: dict[str, str] = {}
    for table, mode in sorted(taken, key=lambda lock: _ORDER.index(lock[1])):
        strongest[table] = mode
    if "t2" in strongest:
        strongest["t"] = strongest.pop("t2")
    return strongest, after is not None and before != after


def _file(server: psycopg.Connection[Any]) -> Any:
    return server.execute(
        b"SELECT relfilenode FROM pg_class WHERE relname IN ('t', 't2')"
    ).fetchone()


def _known(row: Measured) -> tuple[Operation, ...]:
    (statement,) = sql.read(row.statement, "postgresql")
    assert statement.unknown is None
    return tuple(map(_with_type, statement.operations))


def _with_type(operation: Operation) -> Operation:
    """As `existing_type` states it."""
    changes = tuple(
        replace(c, before=TYPES[operation.column.name])
        if c.attribute == "type" and operation.column
        else c
        for c in operation.changes
    )
    return replace(operation, changes=changes)


@pytest.mark.proves("A22")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_locks_and_rewrites_are_what_the_server_does(
    row: Measured, server: psycopg.Connection[Any]
) -> None:
    locks, rewritten = _seen(server, row)
    costs = [c for o in _known(row) if (c := postgresql.cost(o, (18,)))]
    lock = locks.get("t", "").replace("Lock", "")
    if row.lock and row.setup == "":
        assert lock == row.lock.title().replace(" ", ""), "the server changed its mind"
    said_rewrite = any(c.effect == "rewrite" for c in costs)
    if row.operation in COSTS_LESS:
        return
    if row.operation in COSTS_MORE:
        assert not any(c.long for c in costs), "it is known now: take it from the list"
        return
    assert rewritten == said_rewrite
    assert any(c.long for c in costs) == (row.effect != "metadata only")
    if row.lock and lock:
        strongest = max((f"{c.lock.title().replace(' ', '')}Lock" for c in costs), key=_ORDER.index)
        assert strongest == f"{lock}Lock"
    parent = {c.referred for c in costs if c.referred}
    if "parent" in locks and row.operation not in {"VALIDATE FK", "DROP FK"}:
        assert {r.title().replace(" ", "") + "Lock" for r in parent} == {locks["parent"]}


def test_the_whole_measured_table_is_replayed() -> None:
    assert len(ROWS) > 100


@pytest.mark.parametrize(
    ("before", "after", "using"),
    [("VARCHAR(50)", "TEXT", "s::text"), ("VARCHAR(50)", "VARCHAR(99)", "s")],
)
def test_using_the_column_itself_is_no_rewrite(
    before: str, after: str, using: str, server: psycopg.Connection[Any]
) -> None:
    statement = f"ALTER TABLE t ALTER s TYPE {after} USING {using}"
    row = replace(ROWS[0], setup="", statement=statement)
    assert _seen(server, row)[1] is False
    (operation,) = _known(row)
    assert operation.changes == (Change(attribute="type", before=before, after=after, using=using),)
    cost = postgresql.cost(operation)
    assert cost is not None
    assert not cost.long
