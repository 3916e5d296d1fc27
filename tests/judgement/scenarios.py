"""The labelled cases: what is there, and what a revision does to it."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

POSTGRESQL, MYSQL, SQLITE = "postgresql", "mysql", "sqlite"
ALL = (POSTGRESQL, MYSQL, SQLITE)

LARGE = 12_000
"""Rows of a table that is no longer small."""

_TABLES = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY, email VARCHAR(100), name VARCHAR(50) NOT NULL, age INTEGER,
    code VARCHAR(20), score NUMERIC(10, 2), note VARCHAR(200), joined {timestamp},
    status VARCHAR(10) DEFAULT 'new' NOT NULL,
    CONSTRAINT uq_users_name UNIQUE (name));
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, user_id INTEGER, owner_id INTEGER, title VARCHAR(200),
    CONSTRAINT fk_tasks_owner FOREIGN KEY (owner_id) REFERENCES users (id));
CREATE INDEX ix_users_code ON users (code);
CREATE TABLE logs (id INTEGER PRIMARY KEY, line VARCHAR(200))
"""
_TIMESTAMPS = {POSTGRESQL: "TIMESTAMP", MYSQL: "DATETIME", SQLITE: "DATETIME"}

_CLEAN = """
INSERT INTO users (id, email, name, age, code, score, note, joined) VALUES
    (1, 'a@x.org', 'ann', 31, '1', 1.50, 'n1', '2024-01-01 10:00:00'),
    (2, 'b@x.org', 'bob', 32, '2', 2.50, 'n2', '2024-01-02 10:00:00'),
    (3, 'c@x.org', 'cy', 33, '3', 3.50, 'n3', '2024-01-03 10:00:00');
INSERT INTO tasks (id, user_id, owner_id, title) VALUES (1, 1, 1, 't1'), (2, 2, 1, 't2');
INSERT INTO logs (id, line) VALUES (1, 'l1'), (2, 'l2')
"""

_MANY = {
    POSTGRESQL: "generate_series(1, {n}) AS s(i)",
    MYSQL: "(SELECT seq AS i FROM seq_1_to_{n}) s",
    SQLITE: "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {n}) "
    "SELECT i FROM s) s",
}
_TEXT = {POSTGRESQL: "CAST(i AS VARCHAR)", MYSQL: "CAST(i AS CHAR)", SQLITE: "CAST(i AS TEXT)"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A revision with the data that it meets.

    Lines of `up` that begin with a table's name and a colon are calls on that table, in a batch
    block on SQLite; `{t}` stands where the name goes outside of one. `violating` is added to clean
    data, `more` stands before any. `design` are the rules that have to speak whatever the data is,
    and `may` those that may.
    """

    name: str
    up: str
    databases: tuple[str, ...] = ALL
    variants: tuple[str, ...] = ("empty", "clean")
    violating: str = ""
    more: str = ""
    design: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    batch: bool = True

    @property
    def data(self) -> tuple[str, ...]:
        """The variants of the data; a violating one where there is one."""
        return (*self.variants, *(("violating",) if self.violating else ()))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A scenario on one database with one variant of the data."""

    scenario: Scenario
    database: str
    data: str

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.scenario.name}-{self.database}-{self.data}"

    @property
    def setup(self) -> tuple[str, ...]:
        """The statements that make the database as the revision finds it."""
        parts = [_TABLES.format(timestamp=_TIMESTAMPS[self.database]), self.scenario.more]
        if self.data != "empty":
            parts.append(_large(self.database) if self.data == "large" else _CLEAN)
        if self.data == "violating":
            parts.append(self.scenario.violating)
        return tuple(s for p in parts for s in map(str.strip, p.split(";")) if s)

    @property
    def source(self) -> str:
        """The revision file."""
        up = "\n".join(_lines(self.scenario, self.database))
        return (
            "import sqlalchemy as sa\nfrom alembic import op\n"
            "from sqlalchemy.dialects import mysql, postgresql\n\n"
            'revision = "1a2b3c4d5e6f"\ndown_revision = None\n\n\n'
            f"def upgrade():\n{indent(up, '    ')}\n\n\n"
            "def downgrade():\n    op.execute('SELECT 1')\n"
        )


def _large(database: str) -> str:
    many = _MANY[database].format(n=LARGE)
    text = _TEXT[database]
    analyze = "ANALYZE TABLE users, tasks" if database == MYSQL else "ANALYZE"
    return (
        "INSERT INTO users (id, email, name, age, code, score, note, joined) "
        f"SELECT i, {text}, {text}, 30, {text}, 1.50, 'n', '2024-01-01 10:00:00' FROM {many};"
        f"INSERT INTO tasks (id, user_id, owner_id, title) SELECT i, i, i, 't' FROM {many};"
        f"INSERT INTO logs (id, line) SELECT i, 'l' FROM {many};{analyze}"
    )


_CALL = re.compile(r"(?P<table>users|tasks): (?P<call>.*)", re.DOTALL)


def _lines(scenario: Scenario, database: str) -> Iterator[str]:
    batch = database == SQLITE and scenario.batch
    for line in _calls(scenario.up):
        found = _CALL.fullmatch(line)
        if found is None:
            yield line
        elif batch:
            yield f"with op.batch_alter_table({found['table']!r}) as batch_op:"
            yield f"    batch_op.{found['call'].replace('{t}', '')}"
        else:
            place = f"{found['table']!r}, "
            yield f"op.{found['call'].replace('{t}', place)}"


def _calls(text: str) -> list[str]:
    """The lines, each call in one: what goes on in the next line is indented there."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        goes_on = line.startswith("    ") and not lines[-1].rstrip().endswith(":")
        if goes_on:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


_LISTS = frozenset({"databases", "variants", "design", "may"})


def _scenarios() -> Iterator[Scenario]:
    for name in ("safe", "failing", "losing", "design"):
        text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
        for found in tomllib.loads(text)["scenario"]:
            lists: dict[str, Any] = {k: tuple(found[k]) for k in _LISTS & set(found)}
            yield Scenario(**{**found, **lists})


SCENARIOS = tuple(_scenarios())

CASES = tuple(
    Case(scenario=s, database=database, data=data)
    for s in SCENARIOS
    for database in s.databases
    for data in s.data
)
