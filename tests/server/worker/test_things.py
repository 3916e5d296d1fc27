"""Catalogues compared as things: what is the same gives the same, and what was lost is seen."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from rulezero_policies.rehearsal import Thing
from rulezero_server.worker.things import things

THINGS = TypeAdapter(tuple[Thing, ...])
VERSION = (None, "alembic_version")

DATABASES = {"sqlite": "sqlite_file", "postgresql": "postgres_url", "mariadb": "mariadb_url"}

SETUP = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    (
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50) DEFAULT 'x' NOT NULL, "
        "age INTEGER, CONSTRAINT uq_name UNIQUE (name), CONSTRAINT ck_age CHECK (age > 0))"
    ),
    (
        "CREATE TABLE posts (id INTEGER NOT NULL PRIMARY KEY, author INTEGER, "
        "CONSTRAINT fk_author FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE)"
    ),
    "CREATE INDEX ix_age ON users (age)",
    "CREATE VIEW grown AS SELECT id FROM users WHERE age > 17",
)

Found = dict[tuple[str, str, str], str]


@pytest.fixture
def sqlite_file(tmp_path: Any) -> str:
    return f"sqlite:///{(tmp_path / 'things.sqlite').as_posix()}"


class Shop:
    """A database, and what it is made of."""

    def __init__(self, url: str, *setup: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.run(*setup)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def things(self, version: tuple[str | None, str] = VERSION) -> tuple[Thing, ...]:
        with self.engine.connect() as connection:
            return THINGS.validate_python(things(connection, version))

    def found(self) -> Found:
        return {(t.kind, t.table, t.name): t.definition for t in self.things()}

    def migrate(self, change: Callable[[Operations], None]) -> None:
        with self.engine.begin() as connection:
            change(Operations(MigrationContext.configure(connection)))

    def differs(self, *statements: str) -> tuple[Found, Found]:
        """What is gone and what is new after these statements; a change is both."""
        before = self.found()
        self.run(*statements)
        after = self.found()
        gone = {k: v for k, v in before.items() if after.get(k) != v}
        return gone, {k: v for k, v in after.items() if before.get(k) != v}


@pytest.fixture(params=DATABASES)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop(request.getfixturevalue(DATABASES[request.param]), *SETUP)
    yield made
    made.engine.dispose()


@pytest.fixture
def sqlite(sqlite_file: str) -> Iterator[Shop]:
    made = Shop(sqlite_file, *SETUP)
    yield made
    made.engine.dispose()


@pytest.fixture
def pg(postgres_url: str) -> Iterator[Shop]:
    made = Shop(postgres_url, *SETUP)
    yield made
    made.engine.dispose()


@pytest.fixture
def maria(mariadb_url: str) -> Iterator[Shop]:
    made = Shop(mariadb_url, *SETUP)
    yield made
    made.engine.dispose()


def test_every_part_of_a_schema_is_a_thing_but_alembics_own_table(shop: Shop) -> None:
    found = shop.found()
    assert set(found) >= {
        ("table", "", "users"),
        ("table", "", "posts"),
        ("column", "users", "name"),
        ("constraint", "users", "ck_age"),
        ("constraint", "posts", "fk_author"),
        ("index", "users", "ix_age"),
        ("view", "", "grown"),
    }
    assert not any("alembic_version" in str(key) for key in found)
    assert [t.position for t in shop.things() if (t.kind, t.table) == ("column", "users")] == [
        1,
        2,
        3,
    ]


def test_a_version_table_of_another_name_is_left_out_by_that(shop: Shop) -> None:
    found = shop.things((None, "posts"))
    assert not any("posts" in {t.name, t.table} for t in found)
    assert any(t.name == "alembic_version" for t in found)


def add_and_drop(operations: Operations) -> None:
    operations.add_column("users", sa.Column("email", sa.String(80)))
    operations.drop_column("users", "email")


def make_and_drop(operations: Operations) -> None:
    operations.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    operations.drop_table("extra")


def index_and_back(operations: Operations) -> None:
    operations.create_index("ix_name", "users", ["name"])
    operations.drop_index("ix_name", "users")


def batch_and_back(operations: Operations) -> None:
    if operations.get_bind().dialect.name == "sqlite":
        operations.execute("DROP VIEW grown")
    for change in ("add", "drop"):
        recreate = "always" if operations.get_bind().dialect.name == "sqlite" else "auto"
        with operations.batch_alter_table("users", recreate=recreate) as batch:
            if change == "add":
                batch.add_column(sa.Column("email", sa.String(80)))
            else:
                batch.drop_column("email")
    if operations.get_bind().dialect.name == "sqlite":
        operations.execute(SETUP[-1])


@pytest.mark.parametrize("change", [add_and_drop, make_and_drop, index_and_back, batch_and_back])
def test_a_change_that_is_taken_back_leaves_no_difference(
    shop: Shop, change: Callable[[Operations], None]
) -> None:
    before = shop.things()
    shop.migrate(change)
    assert shop.things() == before


def test_the_same_catalogue_read_twice_is_the_same(shop: Shop) -> None:
    before = shop.things()
    shop.run("INSERT INTO users (id, name, age) VALUES (7, 'a', 5)")
    assert shop.things() == before


def test_a_lost_index_is_seen(shop: Shop) -> None:
    on = " ON users" if shop.engine.dialect.name == "mysql" else ""
    gone, new = shop.differs(f"DROP INDEX ix_age{on}")
    assert (set(gone), new) == ({("index", "users", "ix_age")}, {})


def test_a_lost_view_is_seen(shop: Shop) -> None:
    gone, new = shop.differs("DROP VIEW grown")
    assert (set(gone), new) == ({("view", "", "grown")}, {})


def test_a_column_that_comes_back_last_has_moved(shop: Shop) -> None:
    shop.run("DROP VIEW grown")
    shop.run("CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)")
    shop.run("ALTER TABLE t DROP COLUMN b")
    shop.run("ALTER TABLE t ADD COLUMN b INTEGER")
    columns = [t for t in shop.things() if (t.kind, t.table) == ("column", "t")]
    assert [(t.name, t.position) for t in columns] == [("a", 1), ("c", 2), ("b", 3)]


REWRITTEN = (
    # Quotes, space, case and the place of the clauses say nothing.
    (
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(5) NOT NULL DEFAULT 'x' UNIQUE, "
            "b INT REFERENCES users(id) ON DELETE CASCADE CHECK (b > 0))"
        ),
        (
            'create table "t" (\n\t"id" integer not null, '
            "`a` varchar (5) default ('x') not null, "
            '[b] INTEGER, foreign key(b) references "users" ON DELETE CASCADE, check ((b>0)), '
            "unique (a), primary key (id) )"
        ),
    ),
    (
        (
            "CREATE TABLE t (a INTEGER REFERENCES users ON UPDATE NO ACTION NOT DEFERRABLE, "
            "b INTEGER DEFAULT NULL, c TEXT COLLATE BINARY)"
        ),
        "CREATE TABLE t (a INTEGER REFERENCES users (id), b INTEGER, c TEXT) -- the same",
    ),
    (
        "CREATE TABLE t (a NUMERIC(10,2), CONSTRAINT one CHECK (a IN ('p', 'q')))",
        "CREATE TABLE t (a numeric(10, 2), constraint one check(a in('p','q')))",
    ),
)


@pytest.mark.parametrize(("one", "other"), REWRITTEN)
def test_sqlite_texts_that_mean_the_same_are_the_same(sqlite: Shop, one: str, other: str) -> None:
    sqlite.run(one)
    before = sqlite.things()
    sqlite.run("DROP TABLE t", other)
    assert sqlite.things() == before


TYPES = (
    *("INT", "TINYINT(1)", "MEDIUMINT", "INT8", "INTEGER(11)", "BIGINT(20)", "FLOAT(5)", "CLOB"),
    *("LONGTEXT", "BOOL", "DOUBLE PRECISION", "DEC(5,2)", "DATETIME(6)", "UNSIGNED BIG INT"),
    *("VARCHAR(50)", "DECIMAL(5,2)", "NUMERIC", "TEXT", "BLOB", "JSON", "DATE", "CHAR(36)"),
)


# SQLAlchemy says so when it reads TINYINT(1): that is the case which is tried here.
@pytest.mark.filterwarnings("ignore:Could not instantiate type:sqlalchemy.exc.SAWarning")
def test_a_type_that_sqlalchemy_only_writes_otherwise_when_it_copies_is_the_same(
    sqlite: Shop,
) -> None:
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(TYPES))
    sqlite.run(f"CREATE TABLE t ({columns})")
    before = sqlite.things()
    sqlite.migrate(copied)
    assert sqlite.things() == before


def copied(operations: Operations) -> None:
    operations.execute("DROP VIEW grown")
    with operations.batch_alter_table("t", recreate="always"):
        pass
    operations.execute(SETUP[-1])


DIFFERENT = {
    "a CHECK": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x')",
    "a default": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> ''))",
    "a collation": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE)",
    "autoincrement": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT)",
    "STRICT": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT",
    "WITHOUT ROWID": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID",
    "ON DELETE": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT REFERENCES u ON DELETE CASCADE)",
    "a foreign key": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT REFERENCES u)",
    "deferred": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT REFERENCES u "
    "DEFERRABLE INITIALLY DEFERRED)",
    "NOT NULL": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL)",
    "a conflict": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE ON CONFLICT IGNORE)",
    "unique": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE)",
    "a length": "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(10))",
    "generated": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT AS (id + 1) STORED)",
    "a type": "CREATE TABLE t (id INTEGER PRIMARY KEY, a UUID)",
    "plain": "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
}


def test_sqlite_texts_that_mean_something_else_are_something_else(sqlite: Shop) -> None:
    seen: dict[tuple[Thing, ...], str] = {}
    for name, text in DIFFERENT.items():
        sqlite.run(text)
        found = sqlite.things()
        assert seen.setdefault(found, name) == name
        sqlite.run("DROP TABLE t")
    assert len(seen) == len(DIFFERENT)


def test_what_batch_mode_loses_on_sqlite_is_seen(sqlite: Shop) -> None:
    sqlite.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, CHECK (a <> ''))",
        "CREATE INDEX ix_lower ON t (lower(a))",
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
    )
    before = sqlite.found()
    sqlite.run(
        "CREATE TABLE _alembic_tmp_t (id INTEGER NOT NULL, a TEXT, PRIMARY KEY (id))",
        "DROP TABLE t",
        "ALTER TABLE _alembic_tmp_t RENAME TO t",
    )
    after = sqlite.found()
    assert {key for key in before if key not in after} == {
        ("constraint", "t", "CHECK (a <> '')"),
        ("index", "t", "ix_lower"),
        ("trigger", "t", "tr"),
    }
    assert {k for k in after if before[k] != after[k]} == {("column", "t", "a")}


def test_an_sqlite_table_that_is_none_of_columns_is_still_told(sqlite: Shop) -> None:
    sqlite.run("CREATE VIRTUAL TABLE found USING fts5 (body)")
    said = sqlite.found()["table", "", "found"]
    assert said == "create virtual table found using fts5(body)"


PG_CHANGES = {
    "an enum": ("CREATE TYPE mood AS ENUM ('sad', 'ok')", ("enum", "", "mood")),
    "a type": ("CREATE TYPE pair AS (a int, b text)", ("type", "", "pair")),
    "a domain": ("CREATE DOMAIN plus AS int CHECK (VALUE > 0)", ("type", "", "plus")),
    "a sequence": ("CREATE SEQUENCE counter", ("sequence", "", "counter")),
    "a function": (
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ("function", "", "one()"),
    ),
    "a comment": (
        "COMMENT ON COLUMN users.name IS 'as said'",
        ("comment", "users", "column name of table users"),
    ),
    "a privilege": ("GRANT SELECT ON users TO PUBLIC", ("privilege", "users", "PUBLIC on users")),
    "a schema": ("CREATE SCHEMA archive", ("schema", "", "archive")),
    "a rule": (
        "CREATE RULE quiet AS ON DELETE TO posts DO INSTEAD NOTHING",
        ("trigger", "posts", "quiet"),
    ),
    "a materialized view": (
        "CREATE MATERIALIZED VIEW heads AS SELECT id FROM users",
        ("view", "", "heads"),
    ),
    "not validated": (
        "ALTER TABLE users ADD CONSTRAINT late CHECK (age < 200) NOT VALID",
        ("constraint", "users", "late"),
    ),
}


@pytest.mark.parametrize("case", PG_CHANGES)
def test_what_postgresql_has_more_of_is_seen_alone(pg: Shop, case: str) -> None:
    statement, key = PG_CHANGES[case]
    gone, new = pg.differs(statement)
    assert (gone, set(new)) == ({}, {key})


PG_REDEFINED = {
    "order of labels": (
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "ALTER TYPE mood ADD VALUE 'worst' BEFORE 'sad'",
        ("enum", "", "mood"),
        "ENUM ('worst', 'sad', 'ok')",
    ),
    "a default": (
        "SELECT 1",
        "ALTER TABLE users ALTER COLUMN name SET DEFAULT 'y'",
        ("column", "users", "name"),
        "character varying(50) NOT NULL DEFAULT 'y'::character varying",
    ),
    "a length": (
        "DROP VIEW grown",
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(60)",
        ("column", "users", "name"),
        "character varying(60) NOT NULL DEFAULT 'x'::character varying",
    ),
    "validity": (
        "ALTER TABLE users ADD CONSTRAINT late CHECK (age < 200) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT late",
        ("constraint", "users", "late"),
        "CHECK ((age < 200))",
    ),
    "persistence": (
        "CREATE TABLE scratch (a int)",
        "ALTER TABLE scratch SET UNLOGGED",
        ("table", "", "scratch"),
        "unlogged, table",
    ),
    "a function's public": (
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC",
        ("function", "", "one()"),
        None,
    ),
    "a disabled trigger": (
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            "CREATE TRIGGER tr BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        "ALTER TABLE users DISABLE TRIGGER tr",
        ("trigger", "users", "tr"),
        (
            "CREATE TRIGGER tr BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION f() "
            "DISABLED"
        ),
    ),
}


@pytest.mark.parametrize("case", PG_REDEFINED)
def test_what_postgresql_has_otherwise_is_seen_alone(pg: Shop, case: str) -> None:
    before, statement, key, definition = PG_REDEFINED[case]
    pg.run(before)
    gone, new = pg.differs(statement)
    assert set(gone) == set(new) == {key}
    assert definition is None or new[key] == definition


def test_an_index_that_failed_to_be_built_is_told_as_invalid(pg: Shop) -> None:
    pg.run("INSERT INTO users (id, name, age) VALUES (1, 'a', 1), (2, 'b', 1)")
    lone = pg.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with lone, pytest.raises(IntegrityError):
        lone.exec_driver_sql("CREATE UNIQUE INDEX CONCURRENTLY uq_age ON users (age)")
    said = pg.found()["index", "users", "uq_age"]
    assert said == "UNIQUE INDEX USING btree (age) INVALID"


def test_a_table_of_another_schema_has_that_schema(pg: Shop) -> None:
    pg.run("CREATE SCHEMA archive", "CREATE TABLE archive.users (id int)")
    assert {t.schema for t in pg.things() if t.name == "users"} == {None, "archive"}


MARIA_CHANGES = {
    "a comment": (
        "ALTER TABLE users COMMENT 'people'",
        {("comment", "users", "table users"): "people"},
    ),
    "a trigger": (
        "CREATE TRIGGER tr BEFORE INSERT ON users FOR EACH ROW SET NEW.age = 1",
        {("trigger", "users", "tr"): "BEFORE INSERT SET NEW.age = 1"},
    ),
    "a sequence": (
        "CREATE SEQUENCE counter START 5",
        {
            ("sequence", "", "counter"): "SEQUENCE START 5 INCREMENT 1 MINVALUE 1 "
            "MAXVALUE 9223372036854775806 CACHE 1000"
        },
    ),
    "a default": (
        "ALTER TABLE users ALTER COLUMN name SET DEFAULT 'y'",
        {("column", "users", "name"): "varchar(50) NOT NULL DEFAULT 'y'"},
    ),
    "a collation": (
        "ALTER TABLE users MODIFY name VARCHAR(50) COLLATE utf8mb4_bin DEFAULT 'x' NOT NULL",
        {("column", "users", "name"): "varchar(50) COLLATE utf8mb4_bin NOT NULL DEFAULT 'x'"},
    ),
    "auto_increment": (
        "ALTER TABLE posts MODIFY id INTEGER NOT NULL AUTO_INCREMENT",
        {("column", "posts", "id"): "int(11) NOT NULL AUTO_INCREMENT"},
    ),
    "an engine": (
        "CREATE TABLE slow (a INTEGER) ENGINE=MyISAM COLLATE=utf8mb4_bin",
        {
            ("table", "", "slow"): "table ENGINE=MyISAM COLLATE=utf8mb4_bin",
            ("column", "slow", "a"): "int(11)",
        },
    ),
    "a CHECK without a name": (
        "ALTER TABLE users ADD CHECK (age < 200)",
        {("constraint", "users", "CHECK (`age` < 200)"): "CHECK (`age` < 200)"},
    ),
    "a part of a column": (
        "CREATE UNIQUE INDEX ix_part ON users (name(5))",
        {("index", "users", "ix_part"): "UNIQUE INDEX USING BTREE (name(5))"},
    ),
}


@pytest.mark.parametrize("case", MARIA_CHANGES)
def test_what_mariadb_has_otherwise_is_seen_alone(maria: Shop, case: str) -> None:
    statement, expected = MARIA_CHANGES[case]
    _, new = maria.differs(statement)
    assert new == expected


def test_mariadb_numbers_of_foreign_keys_say_nothing(maria: Shop) -> None:
    key = "ADD FOREIGN KEY (author) REFERENCES users (id) ON DELETE SET NULL"
    maria.run("ALTER TABLE posts DROP FOREIGN KEY fk_author", f"ALTER TABLE posts {key}")
    before = maria.things()
    maria.run(f"ALTER TABLE posts {key}", "ALTER TABLE posts DROP FOREIGN KEY posts_ibfk_1")
    assert maria.things() == before
    assert maria.found()["constraint", "posts", "FOREIGN KEY (author)"] == (
        "FOREIGN KEY (author) REFERENCES users (id) ON DELETE SET NULL"
    )


def test_a_counter_of_mariadb_is_no_part_of_the_schema(maria: Shop) -> None:
    maria.run("CREATE TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT)")
    before = maria.things()
    maria.run("INSERT INTO t VALUES (500)", "DELETE FROM t")
    assert maria.things() == before
