"""What an observer says of a statement, held against what the database is known to do for it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from rulezero_server.worker import watching
from rulezero_server.worker.watching import postgresql

Watched = Callable[..., list[dict[str, Any]]]


class Tape:
    """Has an observer look at every statement of an engine, and keeps what it says."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.said: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self._observers: dict[Any, Any] = {}
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, connection: Any, _cursor: Any, statement: str, *more: Any) -> None:
        self.seen.append(statement)
        observer = self._observers.setdefault(connection, watching.observer(connection))
        more[1].watched = observer, observer.before(connection, statement)

    def _after(self, _connection: Any, _cursor: Any, _statement: str, *more: Any) -> None:
        observer, state = more[1].watched
        self.said.append(observer.after(state))

    def send(self, *statements: str, **options: Any) -> dict[str, Any]:
        """Send them in one transaction; what is said of the last."""
        with self.engine.connect().execution_options(**options) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.commit()
        return self.said[-1]


def taped(url: str, *setup: str) -> Iterator[Tape]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in setup:
            connection.exec_driver_sql(statement)
    yield Tape(engine)
    engine.dispose()


@pytest.fixture
def pg(postgres_url: str) -> Iterator[Tape]:
    yield from taped(
        postgres_url,
        "CREATE TABLE people (id serial PRIMARY KEY, name varchar(20), age integer, bio text)",
        "CREATE INDEX ix_name ON people (name)",
        "CREATE TABLE posts (id serial PRIMARY KEY, person integer)",
        "INSERT INTO people (name, age) VALUES ('a', 1), ('b', 2)",
    )


def locks(said: dict[str, Any]) -> set[tuple[str, str]]:
    return {(lock["relation"], lock["mode"]) for lock in said["locks"]}


STRONG, SHARE = "AccessExclusiveLock", "ShareLock"


def test_a_column_that_is_added_locks_the_table_and_writes_nothing_anew(pg: Tape) -> None:
    said = pg.send("ALTER TABLE people ADD COLUMN email text")
    assert said == {
        "locks": [{"relation": "people", "mode": STRONG}],
        "rewrites": [],
        "builds": [],
    }


def test_another_type_writes_the_table_and_its_indexes_anew(pg: Tape) -> None:
    said = pg.send("ALTER TABLE people ALTER COLUMN age TYPE bigint")
    assert said["rewrites"] == ["people"]
    assert said["builds"] == ["ix_name", "people_pkey"]
    assert {relation for relation, _ in locks(said)} == {"people", "ix_name", "people_pkey"}


def test_a_longer_varchar_keeps_the_table_and_the_index_as_they_are(pg: Tape) -> None:
    said = pg.send("ALTER TABLE people ALTER COLUMN name TYPE varchar(40)")
    assert (said["rewrites"], said["builds"]) == ([], [])


def test_a_table_is_written_anew_each_time_within_one_transaction(pg: Tape) -> None:
    first = "ALTER TABLE people ALTER COLUMN age TYPE bigint"
    said = pg.send(first, "ALTER TABLE people ALTER COLUMN age TYPE numeric")
    assert [s["rewrites"] for s in pg.said[-2:]] == [["people"], ["people"]]
    assert (STRONG, "people") not in {(m, r) for r, m in locks(said)}, "it was held already"


def test_an_index_is_built_under_a_share_lock(pg: Tape) -> None:
    said = pg.send("CREATE INDEX ix_age ON people (age)")
    assert said == {
        "locks": [{"relation": "people", "mode": SHARE}],
        "rewrites": [],
        "builds": ["ix_age"],
    }


def test_an_index_that_is_built_concurrently_is_seen_though_its_locks_are_gone(pg: Tape) -> None:
    said = pg.send("CREATE INDEX CONCURRENTLY ix_age ON people (age)", isolation_level="AUTOCOMMIT")
    assert said == {"locks": None, "rewrites": [], "builds": ["ix_age"]}


def test_a_truncated_table_is_not_one_written_anew(pg: Tape) -> None:
    said = pg.send("TRUNCATE people")
    assert (said["rewrites"], said["builds"]) == ([], [])
    assert ("people", STRONG) in locks(said)


def test_a_foreign_key_locks_the_table_that_it_refers_to(pg: Tape) -> None:
    said = pg.send("ALTER TABLE posts ADD FOREIGN KEY (person) REFERENCES people (id)")
    assert {("people", "ShareRowExclusiveLock"), ("posts", "ShareRowExclusiveLock")} <= locks(said)


def test_a_new_table_that_refers_to_an_old_one_locks_that(pg: Tape) -> None:
    said = pg.send("CREATE TABLE likes (id int PRIMARY KEY, person int REFERENCES people)")
    assert ("people", "ShareRowExclusiveLock") in locks(said)
    assert (said["rewrites"], said["builds"]) == ([], [])


def test_what_a_transaction_made_itself_holds_nobody_up(pg: Tape) -> None:
    pg.send(
        "CREATE TABLE likes (id int PRIMARY KEY)",
        "CREATE INDEX ix_likes ON likes (id)",
        "ALTER TABLE likes ADD COLUMN a int",
    )
    assert all(not said.get("locks") for said in pg.said)
    assert all(not said.get("rewrites") for said in pg.said)


def test_a_table_that_refers_to_one_of_the_same_transaction_holds_nobody_up(pg: Tape) -> None:
    pg.send(
        "CREATE TABLE likes (id int PRIMARY KEY)",
        "CREATE TABLE dots (id int PRIMARY KEY, l int REFERENCES likes (id))",
    )
    assert pg.said == [{}, {}]


def test_with_many_locks_held_those_of_plain_drops_are_said_to_be_unseen(
    pg: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "MANY", 1)
    change = "ALTER TABLE people ADD COLUMN a int"
    pg.send("ALTER TABLE posts ADD COLUMN a int", "DROP INDEX ix_name", change)
    assert pg.said[-2] == {"locks": None}
    assert ("people", STRONG) in locks(pg.said[-1])


def test_a_dropped_table_is_named_though_it_is_gone(pg: Tape) -> None:
    assert ("posts", STRONG) in locks(pg.send("DROP TABLE posts"))


def test_a_table_of_another_schema_is_named_with_it(pg: Tape) -> None:
    pg.send("CREATE SCHEMA shop", "CREATE TABLE shop.carts (id int)")
    said = pg.send("ALTER TABLE shop.carts ADD COLUMN a int")
    assert locks(said) == {("shop.carts", STRONG)}


def test_a_renamed_table_goes_by_its_new_name_from_the_next_transaction_on(pg: Tape) -> None:
    pg.send("ALTER TABLE posts RENAME TO articles")
    said = pg.send("ALTER TABLE articles ADD COLUMN a int")
    assert ("articles", STRONG) in locks(said)


def test_rows_that_are_changed_take_the_weaker_lock(pg: Tape) -> None:
    said = pg.send("UPDATE people SET age = 3")
    assert ("people", "RowExclusiveLock") in locks(said)
    assert said["rewrites"] == []


def test_what_was_rolled_back_is_no_longer_held(pg: Tape) -> None:
    change = "ALTER TABLE people ALTER COLUMN age TYPE bigint"
    with pg.engine.connect() as connection:
        connection.exec_driver_sql(change)
        connection.rollback()
    said = pg.send(change)
    assert said["rewrites"] == ["people"]
    assert ("people", STRONG) in locks(said)


def test_what_was_rolled_back_to_a_savepoint_is_locked_again(pg: Tape) -> None:
    change = "ALTER TABLE people ADD COLUMN a int"
    pg.send("SAVEPOINT s", change, "ROLLBACK TO SAVEPOINT s", change)
    assert locks(pg.said[-1]) == {("people", STRONG)}


def test_a_commit_in_the_middle_leaves_the_next_locks_untold_not_untrue(pg: Tape) -> None:
    pg.send("UPDATE people SET age = 3", "COMMIT", "UPDATE people SET age = 4")
    assert pg.said[-1]["locks"] is None


def test_a_failed_transaction_stays_failed_for_its_own_reason(pg: Tape) -> None:
    with pg.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="nowhere"):
            connection.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN a int")
        with pytest.raises(DBAPIError) as raised:
            connection.exec_driver_sql("SELECT 1")
        assert isinstance(raised.value.orig, psycopg.errors.InFailedSqlTransaction)


def test_the_observers_own_questions_are_not_seen(pg: Tape) -> None:
    pg.send("ALTER TABLE people ADD COLUMN a int")
    assert pg.seen == ["ALTER TABLE people ADD COLUMN a int"]


@pytest.fixture
def maria(mariadb_url: str) -> Iterator[Tape]:
    yield from taped(
        mariadb_url,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20), age INTEGER, KEY k (age))",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, person INTEGER, title VARCHAR(20))",
        "ALTER TABLE posts ADD FOREIGN KEY (person) REFERENCES people (id)",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(20), KEY b (body))",
        "INSERT INTO people VALUES (1, 'a', 1)",
        "INSERT INTO notes VALUES (1, 'a')",
    )


ALTERED: dict[str, tuple[str | None, list[str], list[str]]] = {
    "ALTER TABLE notes ADD COLUMN a INTEGER": ("INSTANT", [], []),
    "ALTER TABLE `notes` ADD COLUMN a INTEGER, ADD COLUMN b TEXT": ("INSTANT", [], []),
    "ALTER TABLE notes MODIFY body VARCHAR(30)": ("INSTANT", [], []),
    "ALTER TABLE notes RENAME COLUMN body TO text": ("INSTANT", [], []),
    "CREATE INDEX ix ON notes (body)": ("NOCOPY", [], ["ix"]),
    "ALTER TABLE notes ADD UNIQUE INDEX ix (body)": ("NOCOPY", [], ["ix"]),
    "DROP INDEX b ON notes": ("NOCOPY", [], []),
    "ALTER TABLE notes FORCE": ("INPLACE", ["notes"], ["PRIMARY", "b"]),
    "ALTER TABLE notes MODIFY id BIGINT": ("COPY", ["notes"], ["PRIMARY", "b"]),
    "ALTER TABLE notes ADD a INTEGER, ALGORITHM=COPY": ("COPY", ["notes"], ["PRIMARY", "b"]),
    "ALTER TABLE notes ALGORITHM=INPLACE, ADD a INTEGER": ("INSTANT", [], []),
    "ALTER TABLE posts ADD COLUMN a INTEGER": ("INSTANT", [], []),
    # What the clone cannot show: foreign keys, and what reaches beyond the table.
    "ALTER TABLE posts MODIFY title VARCHAR(30)": (None, [], []),
    "ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES people (id)": (None, [], []),
    "ALTER TABLE notes RENAME TO papers": (None, [], []),
    "ALTER TABLE notes ADD COLUMN a VARCHAR(9) DEFAULT 'a\\'b'": (None, [], []),
}


@pytest.mark.parametrize("statement", ALTERED)
def test_mariadb_tells_on_a_clone_how_it_alters_a_table(maria: Tape, statement: str) -> None:
    algorithm, rewrites, builds = ALTERED[statement]
    said = maria.send(statement)
    assert said["locks"] is None
    assert said.get("algorithm") == algorithm
    assert said.get("rewrites", []) == rewrites
    if algorithm:
        assert said["builds"] == builds
    assert not sa.inspect(maria.engine).has_table("rulezero_clone")


def test_trying_on_a_clone_is_invisible_and_changes_nothing_else(maria: Tape) -> None:
    maria.send("ALTER TABLE notes MODIFY id BIGINT")
    assert maria.seen == ["ALTER TABLE notes MODIFY id BIGINT"]
    with maria.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM notes").fetchall() == [(1, "a")]


def test_rows_that_are_changed_are_not_committed_by_looking(maria: Tape) -> None:
    with maria.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM notes")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT * FROM notes").fetchall() == [(1, "a")]


def test_an_alteration_that_fails_leaves_no_clone(maria: Tape) -> None:
    with pytest.raises(DBAPIError):
        maria.send("ALTER TABLE notes ADD COLUMN body INTEGER")
    assert not sa.inspect(maria.engine).has_table("rulezero_clone")


@pytest.fixture
def lock_info(mariadb: Any) -> Iterator[None]:
    with pymysql.connect(unix_socket=str(mariadb), user="root") as connection:
        try:
            connection.cursor().execute("INSTALL SONAME 'metadata_lock_info'")
        except pymysql.Error:
            pytest.skip("this MariaDB has no metadata_lock_info")
    yield
    with pymysql.connect(unix_socket=str(mariadb), user="root") as connection:
        connection.cursor().execute("UNINSTALL SONAME 'metadata_lock_info'")


@pytest.mark.usefixtures("lock_info")
def test_mariadb_tells_the_locks_that_a_transaction_keeps_where_a_plugin_shows_them(
    maria: Tape,
) -> None:
    said = maria.send("SELECT * FROM people", "UPDATE notes SET body = 'b'")
    assert locks(said) == {("notes", "MDL_SHARED_WRITE")}


def test_mariadb_without_the_plugin_says_that_locks_are_not_seen(maria: Tape) -> None:
    assert maria.send("UPDATE notes SET body = 'b'") == {"locks": None}


def test_a_database_that_cannot_be_watched_is_said_to_show_no_locks() -> None:
    class Broken:
        def before(self, connection: Any, statement: str) -> str:
            return statement

        def after(self, state: Any) -> dict[str, Any]:
            raise ConnectionError

    observer = watching.Observer(Broken())
    assert observer.after(observer.before(None, "SELECT 1")) == {"locks": None}
