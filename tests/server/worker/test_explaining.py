"""What a failed statement is said to have run into, on every database: which rows, and no value."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from rulezero_server.worker import explaining

CANARY = "canary7531"
"""A value of a row: it may stand in nothing that is said."""

SETUP = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(30), age VARCHAR(30), boss INTEGER)",
    f"INSERT INTO people VALUES (1, '{CANARY}', '7', 1), (2, NULL, '{CANARY}', 99)",
    f"INSERT INTO people VALUES (3, '{CANARY}', '9', NULL)",
)

NAMES = {"sqlite": "sqlite_file", "postgresql": "postgres_url", "mariadb": "mariadb_url"}

Explain = Callable[..., dict[str, Any]]


@pytest.fixture
def sqlite_file(tmp_path: Any) -> str:
    return f"sqlite:///{(tmp_path / 'people.sqlite').as_posix()}"


def raised_by(engine: sa.Engine, *statements: str) -> DBAPIError:
    """What the last of these statements, sent in one transaction, is refused with."""
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        return error
    raise AssertionError(statements)


@pytest.fixture
def explain(request: pytest.FixtureRequest) -> Iterator[Explain]:
    """`explain(database, statement, *before)`: how its failure is explained."""
    engines: list[sa.Engine] = []

    def explained(database: str, statement: str, *before: str) -> dict[str, Any]:
        engine = sa.create_engine(request.getfixturevalue(NAMES[database]), poolclass=sa.NullPool)
        engines.append(engine)
        with engine.begin() as connection:
            for text in (*SETUP, *before):
                connection.exec_driver_sql(text)
        found = explaining.explain(raised_by(engine, statement), engine.connect)
        assert CANARY not in str(found)
        return found

    yield explained
    for engine in engines:
        engine.dispose()


POSTGRESQL = {
    "nulls": (
        "ALTER TABLE people ALTER COLUMN name SET NOT NULL",
        "NotNullViolation",
        'column "name" of relation "people" contains null values',
        "name",
        ["2"],
    ),
    "duplicates": (
        "CREATE UNIQUE INDEX uq_name ON people (name)",
        "UniqueViolation",
        'could not create unique index "uq_name"',
        "uq_name",
        ["1", "3"],
    ),
    "orphans": (
        "ALTER TABLE people ADD CONSTRAINT fk_boss FOREIGN KEY (boss) REFERENCES people (id)",
        "ForeignKeyViolation",
        'insert or update on table "people" violates foreign key constraint "fk_boss"',
        "fk_boss",
        ["2"],
    ),
    "violations": (
        "ALTER TABLE people ADD CONSTRAINT ck_boss CHECK (boss < 50)",
        "CheckViolation",
        'check constraint "ck_boss" of relation "people" is violated by some row',
        "ck_boss",
        ["2"],
    ),
    "too long": (
        "ALTER TABLE people ALTER COLUMN name TYPE VARCHAR(5)",
        "StringDataRightTruncation",
        "value too long for type character varying(5)",
        "name",
        ["1", "3"],
    ),
    "uncastable": (
        "ALTER TABLE people ALTER COLUMN age TYPE INTEGER USING age::integer",
        "InvalidTextRepresentation",
        'invalid input syntax for type integer: "…"',
        "age",
        ["2"],
    ),
}


@pytest.mark.parametrize("case", POSTGRESQL)
def test_postgresql_is_asked_which_rows_are_in_the_way(explain: Explain, case: str) -> None:
    statement, kind, error, constraint, keys = POSTGRESQL[case]
    assert explain("postgresql", statement) == {
        "kind": kind,
        "error": error,
        "table": "people",
        "constraint": constraint,
        "keys": keys,
    }


CHILD = (
    "Cannot add or update a child row: a foreign key constraint fails (`people`, "
    "CONSTRAINT `fk_boss` FOREIGN KEY (`boss`) REFERENCES `people` (`id`)) (1452)"
)

MARIADB = {
    "nulls": (
        "ALTER TABLE people MODIFY name VARCHAR(30) NOT NULL",
        "DataError",
        "Data truncated for column 'name' at row 2 (1265)",
        "name",
        ["2"],
    ),
    "duplicates": (
        "CREATE UNIQUE INDEX uq_name ON people (name)",
        "IntegrityError",
        "Duplicate entry '…' for key 'uq_name' (1062)",
        "uq_name",
        ["1", "3"],
    ),
    "orphans": (
        "ALTER TABLE people ADD CONSTRAINT fk_boss FOREIGN KEY (boss) REFERENCES people (id)",
        "IntegrityError",
        CHILD,
        "fk_boss",
        ["2"],
    ),
    "violations": (
        "ALTER TABLE people ADD CONSTRAINT ck_boss CHECK (boss < 50)",
        "OperationalError",
        "CONSTRAINT `ck_boss` failed for `people` (4025)",
        "ck_boss",
        ["2"],
    ),
    "too long": (
        "ALTER TABLE people MODIFY COLUMN name VARCHAR(5)",
        "DataError",
        "Data truncated for column 'name' at row 1 (1265)",
        "name",
        ["1", "3"],
    ),
    "uncastable": (
        "ALTER TABLE people CHANGE age years INTEGER",
        "OperationalError",
        "Truncated incorrect INTEGER value: '…' (1292)",
        "age",
        ["2"],
    ),
}


@pytest.mark.parametrize("case", MARIADB)
def test_mariadb_is_asked_which_rows_are_in_the_way(explain: Explain, case: str) -> None:
    statement, kind, error, constraint, keys = MARIADB[case]
    assert explain("mariadb", statement) == {
        "kind": kind,
        "error": error,
        "table": "people",
        "constraint": constraint,
        "keys": keys,
    }


def batched(engine: sa.Engine, change: Callable[[Any], None], sent: list[str]) -> None:
    """A batch block on `people`, each statement noted as it is sent."""

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with engine.begin() as connection:
        for text in SETUP:
            connection.exec_driver_sql(text)
    with engine.begin() as connection:
        event.listen(connection, "before_cursor_execute", note)
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("people") as block:
            change(block)


BATCHES: dict[str, tuple[Callable[[Any], None], str, str, list[str]]] = {
    "nulls": (
        lambda b: b.alter_column("name", existing_type=sa.String(30), nullable=False),
        "NOT NULL constraint failed: people.name",
        "name",
        ["2"],
    ),
    "duplicates": (
        lambda b: b.create_unique_constraint("uq_name", ["name"]),
        "UNIQUE constraint failed: people.name",
        "name",
        ["1", "3"],
    ),
    "violations": (
        lambda b: b.create_check_constraint("ck_boss", "boss < 50"),
        "CHECK constraint failed: ck_boss",
        "ck_boss",
        ["2"],
    ),
}


def test_a_check_without_a_name_is_told_by_what_it_says(explain: Explain) -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> 'x'))"
    found = explain("sqlite", "INSERT INTO t (a) VALUES ('x')", table)
    assert found["error"] == "CHECK constraint failed: a <> 'x'"
    assert (found["table"], found["constraint"]) == ("t", "a <> 'x'")


@pytest.mark.parametrize("case", BATCHES)
def test_a_failing_batch_block_is_explained_by_the_table_it_copies(
    sqlite_file: str, case: str
) -> None:
    change, error, constraint, keys = BATCHES[case]
    engine = sa.create_engine(sqlite_file, poolclass=sa.NullPool)
    sent: list[str] = []
    with pytest.raises(DBAPIError) as raised:
        batched(engine, change, sent)
    found = explaining.explain(raised.value, engine.connect, sent)
    assert CANARY not in str(found)
    assert found == {
        "kind": "IntegrityError",
        "error": error,
        "table": "people",
        "constraint": constraint,
        "keys": keys,
    }


ENUM = "CREATE TYPE mood AS ENUM ('sad')"


def test_an_enum_label_used_at_once_is_told_in_postgresqls_words(
    request: pytest.FixtureRequest,
) -> None:
    engine = sa.create_engine(request.getfixturevalue("postgres_url"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(ENUM)
    error = raised_by(engine, "ALTER TYPE mood ADD VALUE 'glad'", "SELECT 'glad'::mood")
    assert explaining.explain(error, engine.connect) == {
        "kind": "UnsafeNewEnumValueUsage",
        "error": 'unsafe use of new value "glad" of enum type mood',
        "table": None,
        "constraint": None,
        "keys": [],
    }


def test_an_index_built_concurrently_in_a_transaction_is_told_in_postgresqls_words(
    explain: Explain,
) -> None:
    found = explain("postgresql", "CREATE INDEX CONCURRENTLY ix ON people (name)")
    assert found["kind"] == "ActiveSqlTransaction"
    assert found["error"] == "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"
    assert (found["table"], found["keys"]) == ("people", [])


@pytest.mark.parametrize("added", ["FOREIGN KEY (boss) REFERENCES people", "CHECK (boss < 50)"])
def test_a_constraint_that_was_added_unchecked_is_found_by_its_name(
    explain: Explain, added: str
) -> None:
    found = explain(
        "postgresql",
        "ALTER TABLE people VALIDATE CONSTRAINT late",
        f"ALTER TABLE people ADD CONSTRAINT late {added} NOT VALID",
    )
    assert (found["constraint"], found["keys"]) == ("late", ["2"])


@pytest.mark.parametrize("database", NAMES)
def test_a_statement_that_the_migration_wrote_wrong_is_told_with_the_names_it_used(
    explain: Explain, database: str
) -> None:
    found = explain(database, "ALTER TABLE nowhere ADD COLUMN a INTEGER")
    assert "nowhere" in found["error"]
    assert found["keys"] == []


@pytest.mark.parametrize("database", NAMES)
def test_a_value_that_a_revision_wrote_into_its_statement_is_not_told(
    explain: Explain, database: str
) -> None:
    value = f"O'{CANARY} {CANARY}"
    found = explain(database, f"UPDATE people SET name = '{value}'")
    assert "syntax" in found["error"]


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_a_value_that_a_revision_could_not_cast_is_not_told(
    explain: Explain, database: str
) -> None:
    found = explain(database, f"UPDATE people SET boss = CAST('{CANARY}' AS INTEGER)")
    assert "…" in found["error"]


def test_what_depends_on_a_dropped_object_is_named(explain: Explain) -> None:
    view = "CREATE VIEW names AS SELECT name FROM people"
    found = explain("postgresql", "ALTER TABLE people DROP COLUMN name", view)
    assert found["error"] == (
        "cannot drop column name of table people because other objects depend on it: "
        "view names depends on column name of table people"
    )


def test_rows_that_refer_to_a_deleted_one_are_told_by_their_key(explain: Explain) -> None:
    found = explain(
        "mariadb",
        "DELETE FROM people WHERE id = 1",
        "CREATE TABLE likes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id))",
        "INSERT INTO likes VALUES (1, 1)",
    )
    assert found["error"].startswith("Cannot delete or update a parent row")
    assert (found["table"], found["constraint"]) == ("likes", "likes_ibfk_1")


def test_an_index_on_an_expression_is_told_by_its_name(explain: Explain) -> None:
    found = explain("sqlite", "CREATE UNIQUE INDEX uq ON people (lower(name))")
    assert (found["table"], found["constraint"], found["keys"]) == ("people", "uq", [])


@pytest.mark.parametrize("database", NAMES)
def test_a_row_that_a_migration_may_not_insert_is_told_without_its_values(
    explain: Explain, database: str
) -> None:
    found = explain(database, "INSERT INTO people (id, name) SELECT id, name FROM people")
    assert found["table"] == "people"
    assert found["keys"] == []


def test_an_error_of_the_revision_itself_keeps_its_own_words_and_no_value() -> None:
    value = "".join(["can", "ary", "99@x.org"])

    def revision() -> None:
        raise ValueError(f"cannot split the name '{value}'")

    with pytest.raises(ValueError, match="cannot split") as raised:
        revision()
    assert explaining.explain(raised.value, unreachable) == {
        "kind": "ValueError",
        "error": "ValueError: cannot split the name '…'",
        "table": None,
        "constraint": None,
        "keys": [],
    }


def unreachable() -> AbstractContextManager[Any]:
    raise ConnectionError


def test_rows_that_cannot_be_asked_for_leave_the_failure_told(sqlite_file: str) -> None:
    engine = sa.create_engine(sqlite_file)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)")
        connection.exec_driver_sql("INSERT INTO t (a) VALUES (1), (1)")

    found = explaining.explain(raised_by(engine, "CREATE UNIQUE INDEX ix ON t (a)"), unreachable)
    engine.dispose()
    assert found["error"] == "UNIQUE constraint failed: t.a"
    assert found["keys"] == []
