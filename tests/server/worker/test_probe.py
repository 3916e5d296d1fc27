"""Counting on the target."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from rulezero_policies.findings import Fact
from rulezero_server.worker import probe

REVISION = {"a1.py": "revision = 'a1'\ndown_revision = None\n"}


def question(kind: str, table: str, column: str | None = None, schema: str | None = None) -> Any:
    return {"probe": kind, "table": table, "schema": schema, "column": column}


def ask(loaded: Any, *questions: Any, bound: int = 100, seconds: float = 5) -> tuple[Fact, ...]:
    args = {"questions": list(questions), "bound": bound, "seconds": seconds}
    return TypeAdapter(tuple[Fact, ...]).validate_python(probe.probe(loaded, args)["facts"])


@pytest.mark.proves("A07")
def test_rows_values_and_nulls_are_counted(project: Any, filled_url: str, looks: Any) -> None:
    before = looks(filled_url)
    rows, values, nulls = ask(
        project(filled_url, REVISION),
        question("rows", "notes"),
        question("values", "notes", "body"),
        question("nulls", "notes", "body"),
    )
    assert [f.count for f in (rows, values, nulls)] == [3, 2, 1]
    assert not rows.at_least
    assert nulls.sample == ("2",)
    assert rows.sample == values.sample == ()
    assert [f.question for f in (rows, values, nulls)] == [
        "rows in notes",
        "non-null values in notes.body",
        "NULLs in notes.body",
    ]
    assert looks(filled_url) == before


def test_counting_stops_at_the_bound(project: Any, filled_url: str) -> None:
    loaded = project(filled_url, REVISION)
    two, three = (
        ask(loaded, question("rows", "notes"), bound=2),
        ask(loaded, question("rows", "notes"), bound=3),
    )
    assert (two[0].count, two[0].at_least) == (2, True)
    assert (three[0].count, three[0].at_least) == (3, False)


@pytest.mark.proves("A22")
def test_what_cannot_be_asked_is_unknown_and_the_next_question_is_still_answered(
    project: Any, filled_url: str
) -> None:
    table, column, rows = ask(
        project(filled_url, REVISION),
        question("rows", "nowhere"),
        question("nulls", "notes", "nothing"),
        question("rows", "notes"),
    )
    assert (table.count, table.question) == (None, "rows in nowhere (no such table)")
    assert (column.count, column.question) == (None, "NULLs in notes.nothing (no such column)")
    assert rows.count == 3


def test_names_are_quoted_where_they_need_it(project: Any, database_url: str) -> None:
    engine = sa.create_engine(database_url)
    metadata = sa.MetaData()
    odd = sa.Table('Order "x"; --', metadata, sa.Column("select", sa.Integer, primary_key=True))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(odd.insert().values({"select": 7}))
    engine.dispose()
    (fact,) = ask(project(database_url, REVISION), question("values", odd.name, "select"))
    assert fact.count == 1


def test_a_schema_is_looked_into(project: Any, postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA app"))
        connection.execute(sa.text("CREATE TABLE app.t AS SELECT generate_series(1, 4) AS n"))
    engine.dispose()
    loaded = project(postgres_url, REVISION)
    inside, outside = ask(loaded, question("rows", "t", schema="app"), question("rows", "t"))
    assert (inside.count, inside.question) == (4, "rows in app.t")
    assert outside.count is None


def test_a_table_without_a_key_has_no_sample(project: Any, sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE loose AS SELECT NULL AS n"))
    engine.dispose()
    (fact,) = ask(project(sqlite_url, REVISION), question("nulls", "loose", "n"))
    assert (fact.count, fact.sample) == (1, ())


ENDLESS = {
    "sqlite": "CREATE VIEW endless AS WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0",
    "postgresql": "CREATE VIEW endless AS WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT (i + 1) % 1000 FROM n) SELECT i FROM n WHERE i < 0",
}


def test_a_question_that_takes_too_long_is_given_up_and_the_next_one_is_answered(
    project: Any, filled_url: str
) -> None:
    engine = sa.create_engine(filled_url)
    with engine.begin() as connection:
        connection.execute(sa.text(ENDLESS[engine.dialect.name]))
    engine.dispose()
    loaded = project(filled_url, REVISION)
    endless, rows = ask(loaded, question("rows", "endless"), question("rows", "notes"), seconds=0.2)
    assert endless.count is None
    assert "could not be counted" in endless.question
    assert rows.count == 3
