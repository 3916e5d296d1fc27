"""Every question that can be asked of live data, on every database that it is about."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import event

from rulezero_policies.findings import Fact, Question
from rulezero_server.worker import expressions, probe

FACTS = TypeAdapter(tuple[Fact, ...])

pytestmark = pytest.mark.proves("A07")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    fixtures = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}
    return request.getfixturevalue(fixtures[request.param])


Run = Callable[..., None]
Ask = Callable[..., Fact]


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(url, poolclass=sa.NullPool)
    yield made
    made.dispose()


@pytest.fixture
def run(engine: sa.Engine) -> Run:
    """`run(*statements)`: execute them, committed."""

    def execute(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    return execute


@pytest.fixture
def ask(engine: sa.Engine) -> Ask:
    """`ask(probe, table, **more)`: the fact."""

    def answered(kind: Any, table: str = "", /, *, bound: int = 100, **more: Any) -> Fact:
        question = Question(probe=kind, table=table, **more)
        args = {"questions": [dataclasses.asdict(question)], "bound": bound}
        with engine.connect() as connection:
            (fact,) = FACTS.validate_python(probe.answers(connection, args))
        assert fact.asked == question
        return fact

    return answered


def on_connect(engine: sa.Engine, statement: str) -> None:
    """Execute it on every new connection, as an application's own listener does."""

    def listener(raw: Any, _: Any) -> None:
        raw.cursor().execute(statement)
        raw.commit()

    event.listen(engine, "connect", listener)


ON_SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
ON_MARIADB = pytest.mark.parametrize("url", ["mariadb"], indirect=True)

PEOPLE = "CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(50), boss INT)"


def test_duplicates_are_groups_and_their_rows_are_named_by_key(run: Run, ask: Ask) -> None:
    run(
        PEOPLE,
        "INSERT INTO people VALUES (1, 'a', 1), (2, 'a', 1), (3, NULL, 1), (4, NULL, 1),"
        " (5, 'b', 2), (6, 'b', 3)",
    )
    fact = ask("duplicates", "people", columns=("email",))
    assert (fact.count, fact.sample) == (2, ("1", "2")) or fact.sample == ("5", "6")
    assert fact.question == "values that people (email) holds more than once"
    pair = ask("duplicates", "people", columns=("email", "boss"))
    assert (pair.count, pair.sample) == (1, ("1", "2"))
    assert ask("duplicates", "people", columns=("id",)).count == 0
    assert ask("duplicates", "people", columns=("email", "nothing")).count is None


def test_a_key_that_holds_what_is_asked_about_is_not_shown(run: Run, ask: Ask) -> None:
    run(
        "CREATE TABLE links (a INT, b INT, PRIMARY KEY (a, b))",
        "INSERT INTO links VALUES (1, 1), (1, 2)",
    )
    fact = ask("duplicates", "links", columns=("a",))
    assert (fact.count, fact.sample) == (1, ())


def test_orphans_are_rows_whose_parent_is_missing(run: Run, ask: Ask) -> None:
    run(PEOPLE, "INSERT INTO people VALUES (1, 'a', 1), (2, 'b', 9), (3, 'c', NULL)")
    keys: Any = {"columns": ("boss",), "referred_table": "people", "referred_columns": ("id",)}
    fact = ask("orphans", "people", **keys)
    assert (fact.count, fact.sample) == (1, ("2",))
    run("DELETE FROM people WHERE id = 2")
    assert ask("orphans", "people", **keys).count == 0
    gone = {**keys, "referred_table": "nowhere"}
    assert ask("orphans", "people", **gone).count is None


def test_rows_that_break_a_condition_are_counted_and_null_breaks_none(run: Run, ask: Ask) -> None:
    run(PEOPLE, "INSERT INTO people VALUES (1, 'a', 5), (2, 'b', -1), (3, 'c', NULL)")
    fact = ask("violations", "people", expression="boss > 0 AND email <> ':x'")
    assert (fact.count, fact.sample) == (1, ("2",))
    assert ask("violations", "people", expression="length(email) = 1").count == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pg_sleep(10) IS NOT NULL",
        "id > 0) OR (SELECT 1",
        "id IN (SELECT 1)",
        "id > 0 -- ",
        "id > 0; DROP TABLE people",
        "pg_terminate_backend (1)",
        "id > 0)",
        "(id > 0",
        "id > 0 /* */",
        "lower('a''b') = $$x$$",
        "'it''s",
        "id > " + "1" * 2001,
        "app.effect(1)",
        '"effect"(1)',
    ],
)
def test_a_condition_that_could_do_anything_but_compare_is_not_asked(text: str) -> None:
    assert not expressions.may_be_asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "amount > 0",
        "status IN ('open', 'it''s -- done')",
        "status = ANY (ARRAY['a'::text, 'b'::text])",
        "char_length(name) BETWEEN 1 AND 50",
        "a IS NULL OR NOT (b <= 1.5)",
        "\"order\" ~* '^x'",
    ],
)
def test_a_condition_that_compares_is_asked(text: str) -> None:
    assert expressions.may_be_asked(text)


def test_a_condition_that_is_not_asked_is_unknown_and_says_so(run: Run, ask: Ask) -> None:
    run(PEOPLE)
    fact = ask("violations", "people", expression="pg_sleep(10) IS NULL")
    assert fact.count is None
    assert "not one that is asked" in fact.question


NUMBERS = "CREATE TABLE numbers (id INT PRIMARY KEY, t VARCHAR(50), n NUMERIC(10, 3), b BIGINT)"


def test_values_that_do_not_fit_a_smaller_type_are_counted(run: Run, ask: Ask) -> None:
    run(
        NUMBERS,
        "INSERT INTO numbers VALUES (1, 'abc', 12.5, 5), (2, 'abcdef', 1234.5, 3000000000),"
        " (3, NULL, NULL, NULL), (4, 'abc   ', 99.95, -3000000000)",
    )

    def misfits(column: str, type_: str) -> tuple[int | None, tuple[str, ...]]:
        fact = ask("misfits", "numbers", column=column, type=type_)
        return fact.count, fact.sample

    assert misfits("t", "VARCHAR(3)") == (1, ("2",))
    assert misfits("t", "VARCHAR(6)") == (0, ())
    assert misfits("b", "INTEGER") == (2, ("2", "4"))
    assert misfits("b", "BIGINT") == (0, ())
    assert misfits("b", "INTEGER UNSIGNED") == (1, ("4",))
    assert misfits("n", "NUMERIC(5, 1)") == (0, ())
    assert misfits("n", "NUMERIC(3, 1)") == (2, ("2", "4"))
    assert misfits("n", "SMALLINT") == (0, ())
    assert misfits("n", "WIBBLE") == (None, ())


def test_values_that_a_lower_scale_rounds_are_counted(run: Run, ask: Ask) -> None:
    run(NUMBERS, "INSERT INTO numbers VALUES (1, 'a', 12.5, 5), (2, 'b', 12.555, 6)")
    counts = {
        t: ask("rounded", "numbers", column="n", type=t).count
        for t in ("NUMERIC(10, 3)", "NUMERIC(10, 2)", "NUMERIC(10, 0)", "INTEGER")
    }
    assert counts == {
        "NUMERIC(10, 3)": 0,
        "NUMERIC(10, 2)": 1,
        "NUMERIC(10, 0)": 2,
        "INTEGER": 2,
    }


def test_texts_that_are_no_number_are_counted(run: Run, ask: Ask) -> None:
    run(
        NUMBERS,
        "INSERT INTO numbers VALUES (1, '12', 1, 1), (2, ' -3 ', 1, 1), (3, 'x', 1, 1),"
        " (4, NULL, 1, 1), (5, '', 1, 1), (6, '1.5', 1, 1)",
    )
    whole = ask("uncastable", "numbers", column="t", type="INTEGER")
    assert (whole.count, whole.sample) == (3, ("3", "5", "6"))
    assert ask("uncastable", "numbers", column="t", type="NUMERIC(10, 2)").count == 2


@ON_SQLITE
def test_sqlite_casts_whatever_comes_to_most_types(run: Run, ask: Ask) -> None:
    run(NUMBERS)
    assert ask("uncastable", "numbers", column="t", type="DATE").count is None


def test_values_that_an_enumeration_loses_are_counted(run: Run, ask: Ask) -> None:
    run(NUMBERS, "INSERT INTO numbers VALUES (1, 'a', 1, 1), (2, 'b', 1, 1), (3, NULL, 1, 1)")
    fact = ask("outside", "numbers", column="t", values=("a", "c"))
    assert (fact.count, fact.sample) == (1, ("2",))


def test_a_small_table_is_counted_exactly(run: Run, ask: Ask, url: str) -> None:
    run(PEOPLE, "INSERT INTO people VALUES (1, 'a', 1), (2, 'b', 1)")
    fact = ask("size", "people")
    assert (fact.count, fact.at_least) == (2, False)
    assert url.startswith("sqlite") or (fact.bytes or 0) > 0


@ON_POSTGRESQL
def test_a_large_table_is_estimated_without_reading_it(run: Run, ask: Ask) -> None:
    run("CREATE TABLE large AS SELECT n, repeat('x', 500) AS t FROM generate_series(1, 20000) n")
    assert (ask("size", "large").count, ask("size", "large").at_least) == (100, True)
    run("ANALYZE large")
    fact = ask("size", "large")
    assert fact.count == pytest.approx(20000, rel=0.05)
    assert (fact.bytes or 0) > 8 * 1024 * 1024


def test_the_highest_number_of_a_key(run: Run, ask: Ask) -> None:
    run(PEOPLE)
    assert ask("highest", "people", column="id").count == 0
    run("INSERT INTO people VALUES (41, 'a', 1)")
    assert ask("highest", "people", column="id").count == 41


@ON_POSTGRESQL
def test_the_oldest_open_transaction(ask: Ask, url: str) -> None:
    assert ask("oldest_transaction").count == 0
    with psycopg.connect(url.replace("+psycopg", "")) as other:
        other.execute("SELECT 1")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as waits:
            waits.execute("SELECT pg_sleep(1)")
        assert (ask("oldest_transaction").count or 0) >= 1


@ON_SQLITE
def test_sqlite_has_no_other_transactions_to_look_at(ask: Ask) -> None:
    assert ask("oldest_transaction").count is None


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_views_on_a_table_or_a_column_are_named(run: Run, ask: Ask) -> None:
    run(PEOPLE, "CREATE VIEW mails AS SELECT email FROM people")
    assert ask("dependents", "people").names == ("view mails",)
    assert ask("dependents", "people", column="email").count == 1
    assert ask("dependents", "people", column="boss").count == 0


@ON_POSTGRESQL
def test_what_else_rests_on_a_column_is_named(run: Run, ask: Ask) -> None:
    run(
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED, c int, d int)",
        "CREATE POLICY p ON t USING (c > 0)",
        "CREATE INDEX ON t (d)",
        "CREATE MATERIALIZED VIEW m AS SELECT d FROM t",
    )
    assert ask("dependents", "t", column="a").count == 1
    assert ask("dependents", "t", column="c").names == ("policy p on table t",)
    assert ask("dependents", "t", column="d").names == ("materialized view m",)
    assert ask("dependents", "t", column="b").count == 0


def test_foreign_keys_to_a_table_are_named_with_what_a_delete_does(
    run: Run, ask: Ask, url: str
) -> None:
    run(
        PEOPLE,
        "CREATE TABLE pets (id INT PRIMARY KEY, owner INT,"
        " CONSTRAINT fk FOREIGN KEY (owner) REFERENCES people (id) ON DELETE CASCADE)",
    )
    empty = ": no rows" if url.startswith("sqlite") else ""
    assert ask("incoming", "people").names == ("pets.owner ON DELETE CASCADE" + empty,)
    assert ask("incoming", "people", column="id").count == 1
    assert ask("incoming", "people", column="email").count == 0
    assert ask("incoming", "pets").count == 0


TRIGGERS = {
    "sqlite": ("CREATE TRIGGER tr AFTER INSERT ON people BEGIN SELECT 1; END",),
    "mariadb": ("CREATE TRIGGER tr BEFORE INSERT ON people FOR EACH ROW SET NEW.boss = 1",),
    "postgresql": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER tr BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()",
    ),
}


@pytest.mark.parametrize(("url", "made"), TRIGGERS.items(), indirect=["url"])
def test_triggers_are_named(run: Run, ask: Ask, made: tuple[str, ...]) -> None:
    run(PEOPLE)
    assert ask("triggers", "people").count == 0
    run(*made)
    assert ask("triggers", "people").names == ("tr",)


@ON_SQLITE
def test_whether_foreign_keys_are_enforced_is_asked_of_the_very_connection(
    ask: Ask, engine: sa.Engine
) -> None:
    assert ask("foreign_keys_on").count == 0
    on_connect(engine, "PRAGMA foreign_keys=ON")
    assert ask("foreign_keys_on").count == 1


@ON_SQLITE
@pytest.mark.parametrize(
    ("table", "lost"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", ("AUTOINCREMENT",)),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT COLLATE NOCASE)", ("a collation",)),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id > 0))", ("an unnamed CHECK",)),
        ("CREATE TABLE t (id INTEGER, CONSTRAINT c CHECK (id > 0))", ()),
        ("CREATE TABLE t (id INTEGER, n TEXT DEFAULT 'CHECK (COLLATE') ", ()),
    ],
)
def test_what_a_batch_block_forgets_is_named(
    run: Run, ask: Ask, table: str, lost: tuple[str, ...]
) -> None:
    run(table)
    assert ask("lost_on_recreate", "t").names == lost


@ON_SQLITE
def test_triggers_and_indexes_on_expressions_are_forgotten(run: Run, ask: Ask) -> None:
    run(
        PEOPLE,
        "CREATE INDEX plain ON people (email)",
        "CREATE INDEX ix_lower ON people (lower(email))",
        *TRIGGERS["sqlite"],
    )
    assert ask("lost_on_recreate", "people").names == ("expression index ix_lower", "trigger tr")


@ON_MARIADB
def test_the_sql_mode_says_whether_it_is_strict(ask: Ask, engine: sa.Engine) -> None:
    assert ask("sql_mode").count == 1
    on_connect(engine, "SET sql_mode = ''")
    assert (ask("sql_mode").count, ask("sql_mode").names) == (0, ("",))


@ON_POSTGRESQL
def test_an_index_whose_building_failed_is_named(run: Run, ask: Ask, url: str) -> None:
    run(PEOPLE, "INSERT INTO people VALUES (1, 'a', 1), (2, 'a', 1)")
    with (
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        other.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON people (email)")
    assert ask("invalid_indexes", "people").names == ("broken",)


@ON_POSTGRESQL
@pytest.mark.parametrize(("zone", "count"), [("UTC", 0), ("Europe/Berlin", 1)])
def test_the_time_zone_of_the_session(ask: Ask, engine: sa.Engine, zone: str, count: int) -> None:
    on_connect(engine, f"SET TIME ZONE '{zone}'")
    assert (ask("time_zone").count, ask("time_zone").names) == (count, (zone,))


def test_what_a_column_has_beside_its_type(run: Run, ask: Ask) -> None:
    run("CREATE TABLE t (a INT NOT NULL DEFAULT 5, b INT)")
    names = ask("attributes", "t", column="a").names
    assert "NOT NULL" in names
    assert any(name.startswith("DEFAULT 5") or "'5'" in name for name in names)
    assert ask("attributes", "t", column="b").count == 0


def test_whether_a_table_is_there(run: Run, ask: Ask) -> None:
    assert ask("exists", "people").count == 0
    run(PEOPLE)
    assert ask("exists", "people").count == 1


@ON_POSTGRESQL
def test_whether_a_type_is_there(run: Run, ask: Ask) -> None:
    assert ask("type_exists", name="mood").count == 0
    run("CREATE TYPE mood AS ENUM ('a')")
    assert ask("type_exists", name="mood").count == 1


@ON_MARIADB
def test_an_index_that_a_foreign_key_rests_on_is_told(run: Run, ask: Ask) -> None:
    run(
        PEOPLE,
        "CREATE TABLE pets (id INT PRIMARY KEY, owner INT, name INT, KEY ix_owner (owner),"
        " KEY ix_name (name), CONSTRAINT fk_owner FOREIGN KEY (owner) REFERENCES people (id))",
    )
    assert ask("needed_by_key", "pets", name="ix_owner").names == ("fk_owner",)
    assert ask("needed_by_key", "pets", name="ix_name").count == 0
    run("CREATE INDEX ix_both ON pets (owner, name)")
    assert ask("needed_by_key", "pets", name="ix_owner").count == 0
    assert ask("needed_by_key", "pets", name="nothing").count is None


SLOW = {
    "postgresql": "CREATE VIEW slow AS SELECT n AS id, CASE WHEN n < 30000 THEN NULL"
    " WHEN pg_sleep(0.01) IS NULL THEN 1 ELSE 2 END AS x FROM generate_series(1, 100000) n",
}


@pytest.mark.parametrize(("url", "made"), SLOW.items(), indirect=["url"])
def test_what_takes_too_long_is_looked_at_in_part(engine: sa.Engine, run: Run, made: str) -> None:
    run(made)
    questions = [
        dataclasses.asdict(Question(probe="nulls", table="slow", column=c)) for c in ("x", "id")
    ]
    args = {"questions": questions, "bound": 50_000, "seconds": 0.5}
    with engine.connect() as connection:
        found, none = FACTS.validate_python(probe.answers(connection, args))
    assert (found.count, found.at_least, found.looked) == (20_000, True, 20_000)
    assert none.count in {0, None}


def test_all_questions_together_take_no_longer_than_they_may(engine: sa.Engine, run: Run) -> None:
    run(PEOPLE)
    args = {"questions": [dataclasses.asdict(Question(probe="rows", table="people"))], "total": 0}
    with engine.connect() as connection:
        (fact,) = FACTS.validate_python(probe.answers(connection, args))
    assert (fact.count, fact.question) == (None, "rows in people (no time was left for it)")


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_a_truncate_takes_with_it_is_followed_through_every_key(ask: Ask, run: Run) -> None:
    run(
        "CREATE SCHEMA aside",
        "CREATE TABLE a (id INT PRIMARY KEY)",
        "CREATE TABLE b (id INT PRIMARY KEY, a INT REFERENCES a)",
        "CREATE TABLE c (id INT PRIMARY KEY, b INT REFERENCES b, c INT REFERENCES c)",
        "CREATE TABLE aside.d (c INT REFERENCES c)",
        "CREATE TABLE other (id INT)",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO b SELECT i, 1 FROM generate_series(1, 7) i",
        "INSERT INTO c SELECT i, 1, 1 FROM generate_series(1, 30) i",
    )
    fact = ask("emptied_too", "a", bound=20)
    assert fact.names == ("aside.d: no rows", "b: 7 rows", "c: more than 20 rows")
    assert ask("emptied_too", "other").names == ()
