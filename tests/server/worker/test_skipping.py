"""What an earlier run committed is passed over, and held against what the revision sends."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rulezero_server.worker.skipping import MovedError, Skipping, is_skipped, kept, send
from rulezero_server.worker.statements import keeps_nothing

pytestmark = pytest.mark.proves("A18", "D08")

A = "CREATE TABLE a (id INTEGER)"
B = "CREATE TABLE b (id INTEGER)"
C = "CREATE TABLE c (id INTEGER)"
TABLE: Any = sa.table("marks", sa.column("name"))


@pytest.fixture
def connection() -> Iterator[Any]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE marks (name TEXT)")
        yield connection


def tables(connection: Any) -> set[str]:
    return set(sa.inspect(connection).get_table_names()) - {"marks"}


def run(connection: Any, skip: list[str], *steps: list[Any]) -> set[str]:
    """Take steps, each a list of statements, as Alembic takes them from a generator."""
    skipping = Skipping(skip)
    with skipping.listening():
        for statements in skipping.through(steps):
            for one in statements:
                if isinstance(one, str):
                    connection.exec_driver_sql(one)
                elif isinstance(one, tuple):
                    connection.exec_driver_sql(*one)
                else:
                    connection.execute(one)
    return tables(connection)


def test_what_is_committed_is_not_sent_and_the_rest_is(connection: Any) -> None:
    assert run(connection, [A, B], [A, "SELECT 1", B, C]) == {"c"}
    # Only the first revision was begun.
    assert run(connection, [A], [A], [A]) == {"a", "c"}


def test_listeners_are_told_what_is_passed_over(connection: Any) -> None:
    told: list[bool] = []
    skipping = Skipping([A])

    def hear(*given: Any) -> None:
        told.append(is_skipped(given[4]))

    with skipping.listening():
        event.listen(Engine, "before_cursor_execute", hear)
        for _ in skipping.through([1]):
            connection.exec_driver_sql(A)
            connection.exec_driver_sql(B)
        event.remove(Engine, "before_cursor_execute", hear)
    assert told == [True, False]


def test_rows_that_were_put_in_are_not_put_in_again(connection: Any) -> None:
    one, many = "INSERT INTO marks (name) VALUES ('x')", "INSERT INTO marks (name) VALUES (?)"
    run(connection, [one, many], [one, (many, [("y",), ("z",)]), (many, ("w",))])
    assert connection.exec_driver_sql("SELECT name FROM marks").fetchall() == [("w",)]


def test_something_else_than_what_was_committed_is_not_sent(connection: Any) -> None:
    with pytest.raises(MovedError, match=r"sends `CREATE TABLE c .* where `CREATE TABLE a"):
        run(connection, [A, B], [C, A, B])
    assert tables(connection) == set()


def test_what_is_not_sent_any_more_stops_the_run(connection: Any) -> None:
    with pytest.raises(MovedError, match="no longer sends `CREATE TABLE b"):
        run(connection, [A, B], [A])


def test_what_the_revision_finds_done_by_itself_may_be_missing(connection: Any) -> None:
    assert run(connection, [A, B], [B, C]) == {"c"}


def test_alembics_own_table_and_the_session_are_left_alone(connection: Any) -> None:
    version = "CREATE TABLE alembic_version (version_num TEXT)"
    assert run(connection, [A], [version, "SAVEPOINT s", A]) == {"alembic_version"}


def test_an_insert_whose_key_the_revision_may_need_is_not_passed_over(connection: Any) -> None:
    insert = "INSERT INTO marks (name) VALUES (?)"
    with pytest.raises(MovedError, match="its new key may be needed"):
        run(connection, [insert], [TABLE.insert().values(name="x")])
    run(connection, [insert], [TABLE.insert().values(name="x").inline()])


def test_long_statements_are_compared_as_a_journal_keeps_them() -> None:
    assert len(kept("SELECT 1" + " " * 9 + "x" * 9000)) == 4000


def test_sql_of_ours_is_sent_as_it_stands(connection: Any) -> None:
    context = MigrationContext.configure(connection)
    send(context, ())
    send(context, ('CREATE TABLE "50%" (id INTEGER)', C))
    assert tables(connection) == {"50%", "c"}


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("SET lock_timeout = '5s'", True),
        ("SET LOCAL search_path TO a;", True),
        ("BEGIN", True),
        ("SELECT 1", True),
        ("SET GLOBAL max_connections = 5", False),
        ("SET lock_timeout = '5s'; DROP TABLE a", False),
        ("CREATE TABLE a (id INTEGER)", False),
    ],
)
def test_what_only_sets_up_the_session_keeps_nothing(text: str, nothing: bool) -> None:
    assert keeps_nothing(text) is nothing
