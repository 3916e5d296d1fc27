"""What is known of MariaDB's algorithms, held against a live server."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from rulezero_policies import sql
from rulezero_policies.locks import mariadb
from rulezero_policies.operations import Operation

BASE = (
    "CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB",
    """CREATE TABLE t (id INT PRIMARY KEY, a INT, n INT NOT NULL, pid INT, s VARCHAR(50),
    s100 VARCHAR(100), tx TEXT, bi BIGINT, d DECIMAL(10,2), dt DATETIME, e ENUM('a','b','c'),
    c CHAR(10), j JSON, ix INT, KEY k_ix (ix), KEY k_a (a))
    ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    "INSERT INTO t (id, a, n, s, e) VALUES (1, 1, 1, 'x', 'a'), (2, 2, 2, 'y', 'a')",
)

TYPES = {
    "id": "INT(11)", "a": "INT(11)", "s": "VARCHAR(50)", "s100": "VARCHAR(100)", "tx": "TEXT",
    "bi": "BIGINT(20)", "d": "DECIMAL(10, 2)", "dt": "DATETIME", "e": "ENUM('a','b','c')",
    "c": "CHAR(10)", "j": "JSON", "n": "INT(11)",
}  # fmt: skip

STATEMENTS = {
    "ADD COLUMN last nullable": "ADD COLUMN z INT",
    "ADD COLUMN NOT NULL DEFAULT const": "ADD COLUMN z INT NOT NULL DEFAULT 1",
    "ADD COLUMN NOT NULL no default": "ADD COLUMN z INT NOT NULL",
    "ADD COLUMN FIRST/AFTER": "ADD COLUMN z INT AFTER a",
    "ADD COLUMN DEFAULT CURRENT_TIMESTAMP": "ADD COLUMN z DATETIME DEFAULT CURRENT_TIMESTAMP",
    "ADD COLUMN DEFAULT (uuid())": "ADD COLUMN z VARCHAR(36) DEFAULT (uuid())",
    "ADD COLUMN AUTO_INCREMENT-less stored gen": "ADD COLUMN z INT AS (a * 2) STORED",
    "ADD COLUMN virtual gen": "ADD COLUMN z INT AS (a * 2) VIRTUAL",
    "DROP COLUMN": "DROP COLUMN tx",
    "DROP COLUMN indexed": "DROP COLUMN ix",
    "RENAME COLUMN": "RENAME COLUMN a TO z",
    "SET DEFAULT": "ALTER COLUMN a SET DEFAULT 5",
    "MODIFY NULL->NOT NULL": "MODIFY a INT NOT NULL",
    "varchar(50)->(60) utf8mb4": "MODIFY s VARCHAR(60)",
    "varchar(50)->(63)": "MODIFY s VARCHAR(63)",
    "varchar(50)->(64) crosses 255B": "MODIFY s VARCHAR(64)",
    "varchar(50)->(255)": "MODIFY s VARCHAR(255)",
    "varchar(100)->(200)": "MODIFY s100 VARCHAR(200)",
    "varchar shrink 50->20": "MODIFY s VARCHAR(20)",
    "varchar->text": "MODIFY s TEXT",
    "text->mediumtext": "MODIFY tx MEDIUMTEXT",
    "int->bigint": "MODIFY a BIGINT",
    "int->bigint PK": "MODIFY id BIGINT NOT NULL",
    "bigint->int": "MODIFY bi INT",
    "decimal(10,2)->(12,2)": "MODIFY d DECIMAL(12,2)",
    "datetime->timestamp": "MODIFY dt TIMESTAMP NULL",
    "datetime->datetime(6)": "MODIFY dt DATETIME(6)",
    "enum append value": "MODIFY e ENUM('a','b','c','d')",
    "enum insert middle": "MODIFY e ENUM('a','x','b','c')",
    "enum remove value": "MODIFY e ENUM('a','b')",
    "enum->varchar": "MODIFY e VARCHAR(20)",
    "CONVERT TO charset": "CONVERT TO CHARACTER SET latin1",
    "char->varchar": "MODIFY c VARCHAR(10)",
    "json->longtext": "MODIFY j LONGTEXT",
    "ADD INDEX": "ADD INDEX k_s (s)",
    "ADD UNIQUE": "ADD UNIQUE INDEX u_n (n)",
    "ADD FULLTEXT": "ADD FULLTEXT INDEX f_tx (tx)",
    "DROP INDEX": "DROP INDEX k_a",
    "RENAME INDEX": "RENAME INDEX k_a TO k_b",
    "ADD FK (checks on)": "ADD CONSTRAINT fk FOREIGN KEY (pid) REFERENCES parent (id)",
    "ADD CHECK": "ADD CONSTRAINT ck CHECK (a > 0)",
    "ENGINE=InnoDB rebuild": "ENGINE=InnoDB",
    "ROW_FORMAT": "ROW_FORMAT=DYNAMIC",
    "AUTO_INCREMENT=": "AUTO_INCREMENT=100",
}
"""How the measured operations are written."""

NOT_REPLAYED = {
    "ADD COLUMN + FK", "CHANGE rename same type", "MODIFY NOT NULL->NULL", "RENAME TABLE",
    "charset convert column", "ADD PK change", "MODIFY comment only",
}  # fmt: skip
"""Several operations in one, or what no operation states."""

_ORDER = ("INSTANT", "NOCOPY", "INPLACE", "COPY")


def _measured() -> Iterator[tuple[str, str, str]]:
    path = Path(__file__).parent / "measured" / "mariadb-algorithms.tsv"
    with path.open(newline="") as file:
        for row in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            yield row[0], row[1], row[2]


ROWS = tuple(r for r in _measured() if r[0] not in NOT_REPLAYED)


@pytest.fixture(scope="module")
def server(mariadb: Path) -> Iterator[Any]:
    with pymysql.connect(unix_socket=str(mariadb), user="root", autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE DATABASE algorithms")
        cursor.execute("USE algorithms")
        yield cursor
        cursor.execute("DROP DATABASE algorithms")


def _accepted(server: Any, action: str) -> tuple[str, str]:
    """The best algorithm, and the weakest lock with it, that the server takes."""
    for statement in ("DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS parent", *BASE):
        server.execute(statement)
    for algorithm in _ORDER:
        for lock in ("NONE", "SHARED"):
            try:
                server.execute(f"ALTER TABLE t {action}, ALGORITHM={algorithm}, LOCK={lock}")
            except pymysql.Error:
                continue
            return algorithm, lock
    raise AssertionError(f"{action} is not accepted at all")


def _known(action: str) -> tuple[Operation, ...]:
    (statement,) = sql.read(f"ALTER TABLE t {action}", "mysql")
    assert statement.unknown is None
    return tuple(map(_with_type, statement.operations))


def _with_type(operation: Operation) -> Operation:
    """As `existing_type` and `existing_nullable` state it."""
    if operation.kind != "alter_column" or operation.column is None:
        return operation
    column = operation.column
    before = {"type": TYPES[column.name], "nullable": "false" if column.name == "id" else "true"}
    changes = tuple(replace(c, before=before.get(c.attribute)) for c in operation.changes)
    return replace(operation, changes=changes)


@pytest.mark.proves("A22")
@pytest.mark.parametrize(("operation", "algorithm", "lock"), ROWS, ids=lambda v: str(v)[:40])
def test_algorithms_are_what_the_server_accepts(
    operation: str, algorithm: str, lock: str, server: Any
) -> None:
    action = STATEMENTS[operation]
    assert _accepted(server, action) == (algorithm, lock)
    costs = [c for o in _known(action) if (c := mariadb.cost(o))]
    worst = max(costs, key=lambda c: _ORDER.index(c.algorithm))
    assert worst.copies == (algorithm == "COPY")
    assert worst.blocks_writes == (lock == "SHARED")
