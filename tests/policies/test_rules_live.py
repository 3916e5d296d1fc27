"""What the rules claim of live data, held against what the database then really does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.policies.live import Live, lives

pytestmark = pytest.mark.proves("A07")

DATABASES = {"sqlite": "sqlite_file", "postgresql": "postgres_url", "mariadb": "mariadb_url"}
CRITICAL = ("CRITICAL", "will_fail")
LOSES = ("CRITICAL", "loses_data")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'live.db').as_posix()}"


@pytest.fixture(params=DATABASES)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    url = request.getfixturevalue(DATABASES[request.param])
    yield from lives(sa.create_engine(url, poolclass=sa.NullPool), tmp_path)


def on_connect(live: Live, statement: str) -> None:
    def listener(raw: Any, _: Any) -> None:
        raw.cursor().execute(statement)
        raw.commit()

    event.listen(live.engine, "connect", listener)


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("live", names, indirect=True)


USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20), team INTEGER)"
CLEAN = "INSERT INTO users VALUES (1, 'ann', 1), (2, 'bob', 1)"
DIRTY = "INSERT INTO users VALUES (3, 'ann', 9), (4, NULL, -1)"

SET_NOT_NULL = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.alter_column('name', existing_type=sa.String(20), nullable=False)"""
UNIQUE = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.create_unique_constraint('uq_users_name', ['name'])"""
UNIQUE_INDEX = "op.create_index('ux_users_name', 'users', ['name'], unique=True)"
CHECK = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.create_check_constraint('ck_users_team', 'team > 0')"""
KEY = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.create_foreign_key('fk_users_boss', 'users', ['team'], ['id'])"""
NARROW = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.alter_column('name', existing_type=sa.String(20), type_=sa.String(2))"""

CONDITIONS = {
    "set-not-null": SET_NOT_NULL,
    "add-unique": UNIQUE,
    "add-check": CHECK,
}


@pytest.mark.parametrize(("rule", "upgrade"), [*CONDITIONS.items(), ("add-unique", UNIQUE_INDEX)])
@pytest.mark.parametrize("data", [(), (CLEAN,), (CLEAN, DIRTY)], ids=["empty", "clean", "dirty"])
def test_a_condition_fails_exactly_where_it_is_said_to(
    live: Live, rule: str, upgrade: str, data: tuple[str, ...]
) -> None:
    live.run(USERS, *data)
    case = live.judge(upgrade)
    assert case.of(rule) == ([CRITICAL] if DIRTY in data else [])
    assert (case.error is not None) == (rule in case.failing) == (DIRTY in data), case


@only("postgresql", "mariadb")
@pytest.mark.parametrize("data", [(), (CLEAN,), (CLEAN, DIRTY)], ids=["empty", "clean", "dirty"])
def test_a_foreign_key_fails_exactly_where_there_are_orphans(
    live: Live, data: tuple[str, ...]
) -> None:
    live.run(USERS, *data)
    case = live.judge(KEY)
    assert case.of("add-foreign-key") == ([CRITICAL] if DIRTY in data else [])
    assert (case.error is not None) == (DIRTY in data)


@only("sqlite")
@pytest.mark.parametrize("enforced", [True, False])
def test_sqlite_refuses_orphans_only_where_it_enforces_keys(live: Live, *, enforced: bool) -> None:
    live.run(USERS, CLEAN, DIRTY)
    on_connect(live, f"PRAGMA foreign_keys={'ON' if enforced else 'OFF'}")
    case = live.judge(KEY)
    assert case.of("add-foreign-key") == [CRITICAL if enforced else ("WARNING", "design")]
    assert (case.error is not None) == enforced


@only("postgresql", "mariadb")
@pytest.mark.parametrize(("data", "fails"), [((), False), ((CLEAN,), True)])
def test_a_shorter_length_fails_exactly_where_values_are_longer(
    live: Live, data: tuple[str, ...], *, fails: bool
) -> None:
    live.run(USERS, *data)
    case = live.judge(NARROW)
    assert case.of("narrow") == ([CRITICAL] if fails else [])
    assert (case.error is not None) == fails


@only("sqlite")
def test_sqlite_keeps_what_is_too_long(live: Live) -> None:
    live.run(USERS, CLEAN)
    case = live.judge(NARROW)
    assert case.of("narrow") == [("WARNING", "design")]
    assert case.error is None
    assert live.rows("SELECT name FROM users ORDER BY id") == [("ann",), ("bob",)]


@only("postgresql", "mariadb")
def test_a_lower_scale_rounds_without_an_error(live: Live) -> None:
    live.run("CREATE TABLE prices (id INT PRIMARY KEY, price NUMERIC(10, 3))")
    scale = (
        "op.alter_column('prices', 'price', existing_type=sa.Numeric(10, 3), "
        "type_=sa.Numeric(10, 2))"
    )
    live.run("INSERT INTO prices VALUES (1, 1.25)")
    assert live.review(scale).of("narrow") == []
    live.run("INSERT INTO prices VALUES (2, 1.255)")
    case = live.judge(scale)
    assert case.of("narrow") == [LOSES]
    assert case.error is None
    assert str(live.rows("SELECT price FROM prices WHERE id = 2")[0][0]) == "1.26"


@only("postgresql", "mariadb")
def test_a_primary_key_fails_on_duplicates_and_on_nulls(live: Live) -> None:
    live.run("CREATE TABLE codes (code INT, n INT)", "INSERT INTO codes VALUES (1, 1), (2, 2)")
    key = "op.create_primary_key('pk_codes', 'codes', ['code'])"
    assert live.review(key).of("add-primary-key") == []
    live.run("INSERT INTO codes VALUES (1, 3)")
    case = live.judge(key)
    assert case.of("add-primary-key") == [CRITICAL]
    assert case.error is not None
    live.run("DELETE FROM codes WHERE n = 3", "INSERT INTO codes VALUES (NULL, 4)")
    case = live.judge(key)
    assert case.of("add-primary-key") == [CRITICAL]
    assert case.error is not None


def test_an_earlier_step_that_mends_the_rows_makes_the_count_old(live: Live) -> None:
    live.run(USERS, CLEAN, DIRTY)
    case = live.judge(
        f"op.execute(\"UPDATE users SET name = 'x' WHERE name IS NULL\")\n{SET_NOT_NULL}"
    )
    assert case.of("set-not-null") == []
    assert case.error is None
    mends = "op.execute('UPDATE users SET team = 1 WHERE team < 0')"
    case = live.judge(f"{mends}\n{CHECK}")
    assert case.of("add-check") == [("WARNING", "may_fail")]
    assert case.error is None


NOT_NULL = "op.add_column('users', sa.Column('rank', sa.Integer(), nullable=False))"


@only("sqlite", "postgresql")
@pytest.mark.parametrize("data", [(), (CLEAN,)], ids=["empty", "filled"])
def test_not_null_without_default_fails_exactly_where_there_are_rows(
    live: Live, data: tuple[str, ...]
) -> None:
    live.run(USERS, *data)
    case = live.judge(NOT_NULL)
    assert case.of("not-null-without-default") == [CRITICAL if data else ("WARNING", "design")]
    assert (case.error is not None) == bool(data)


@only("mariadb")
def test_mariadb_makes_values_up(live: Live) -> None:
    live.run(USERS, CLEAN)
    case = live.judge(NOT_NULL)
    assert case.of("mysql-implicit-default") == [("CRITICAL", "design")]
    assert case.error is None
    assert live.rows("SELECT rank FROM users") == [(0,), (0,)]


# SQLite's batch mode

CHILD = (
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY,"
    " owner INTEGER REFERENCES users (id) ON DELETE {action})"
)
COPY = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.alter_column('name', existing_type=sa.String(20), server_default='x')"""
ADD = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.add_column(sa.Column('nick', sa.String(20), nullable=True))"""


@only("sqlite")
@pytest.mark.parametrize(
    ("action", "left"),
    [("CASCADE", []), ("SET NULL", [(None,)]), ("RESTRICT", [(1,)]), ("NO ACTION", [(1,)])],
)
def test_a_batch_block_does_to_children_what_is_said(
    live: Live, action: str, left: list[Any]
) -> None:
    live.run(USERS, CLEAN, CHILD.format(action=action), "INSERT INTO tasks VALUES (1, 1)")
    assert live.review(COPY).of("sqlite-batch-cascade") == []
    on_connect(live, "PRAGMA foreign_keys=ON")
    assert live.review(ADD).of("sqlite-batch-cascade") == []
    case = live.judge(COPY)
    taken = left != [(1,)]
    assert case.of("sqlite-batch-cascade") == [LOSES if taken else CRITICAL]
    assert (case.error is None) == taken
    assert live.rows("SELECT owner FROM tasks") == left


@only("sqlite")
def test_children_without_rows_lose_nothing(live: Live) -> None:
    on_connect(live, "PRAGMA foreign_keys=ON")
    live.run(USERS, CLEAN, CHILD.format(action="CASCADE"))
    case = live.judge(COPY)
    assert case.of("sqlite-batch-cascade") == []
    assert case.error is None


LOST = {
    "trigger": "CREATE TRIGGER tr AFTER INSERT ON users BEGIN SELECT 1; END",
    "index": "CREATE INDEX ix ON users (lower(name))",
}


@only("sqlite")
@pytest.mark.parametrize("made", LOST.values(), ids=LOST)
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_what_a_batch_block_is_said_to_lose_is_lost(live: Live, made: str) -> None:
    live.run(USERS, CLEAN, made)
    masters = "SELECT count(*) FROM sqlite_master WHERE name IN ('tr', 'ix')"
    assert live.rows(masters) == [(1,)]
    case = live.judge(COPY)
    assert case.of("sqlite-batch-loses") == [("CRITICAL", "design")]
    assert live.rows(masters) == [(0,)]


TABLES = {
    "AUTOINCREMENT": "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20))",
    "COLLATE": "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20) COLLATE NOCASE)",
    "CHECK": "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20), CHECK (id > 0))",
}


@only("sqlite")
@pytest.mark.filterwarnings("ignore:Unnamed CHECK constraint")
@pytest.mark.parametrize(("word", "made"), TABLES.items())
def test_what_a_table_is_said_to_lose_is_lost(live: Live, word: str, made: str) -> None:
    live.run(made)
    case = live.judge(COPY)
    assert case.of("sqlite-batch-loses") == [("CRITICAL", "design")]
    ((left,),) = live.rows("SELECT sql FROM sqlite_master WHERE name = 'users'")
    assert word not in left


@only("sqlite")
@pytest.mark.parametrize("option", ["STRICT", "WITHOUT ROWID"])
def test_an_option_of_a_table_is_said_to_be_lost_where_it_is(live: Live, option: str) -> None:
    live.run(f"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT) {option}")
    case = live.judge(COPY)
    ((left,),) = live.rows("SELECT sql FROM sqlite_master WHERE name = 'users'")
    assert bool(case.of("sqlite-batch-loses")) == (option not in left)


@only("sqlite")
def test_a_plain_table_loses_nothing_in_a_batch_block(live: Live) -> None:
    live.run(USERS, CLEAN, "CREATE INDEX ix ON users (name)")
    case = live.judge(COPY)
    assert (case.findings, case.error) == ((), None)
    assert live.rows("SELECT count(*) FROM sqlite_master WHERE name = 'ix'") == [(1,)]


@only("sqlite")
def test_what_a_failed_batch_block_left_is_in_the_way(live: Live) -> None:
    live.run(USERS, CLEAN, "CREATE TABLE _alembic_tmp_users (id INTEGER)")
    case = live.judge(COPY)
    assert case.of("sqlite-leftover") == [CRITICAL]
    assert "_alembic_tmp_users" in (case.error or "")


SQLITE_REFUSES = {
    "set": "op.alter_column('users', 'name', existing_type=sa.String(20), nullable=False)",
    "type": "op.alter_column('users', 'name', existing_type=sa.String(20), type_=sa.Text())",
    "default": "op.alter_column('users', 'name', server_default='x')",
    "unique": "op.create_unique_constraint('uq', 'users', ['name'])",
    "drop": "op.drop_constraint('uq', 'users', type_='unique')",
    "key": "op.create_foreign_key('fk', 'users', 'users', ['team'], ['id'])",
    "inline key": "op.add_column('users', sa.Column('b', sa.Integer(), sa.ForeignKey('users.id')))",
}


@only("sqlite")
@pytest.mark.parametrize("upgrade", SQLITE_REFUSES.values(), ids=SQLITE_REFUSES)
def test_sqlite_cannot_alter_outside_of_a_batch_block(live: Live, upgrade: str) -> None:
    live.run(USERS)
    case = live.judge(upgrade)
    assert case.of("sqlite-no-alter") == [CRITICAL]
    assert case.error is not None


@only("sqlite")
@pytest.mark.parametrize(
    "upgrade",
    [
        "op.alter_column('users', 'name', new_column_name='label')",
        "op.drop_column('users', 'name')",
        "op.add_column('users', sa.Column('n', sa.Integer(), server_default='3', nullable=False))",
    ],
)
def test_what_sqlite_can_alter_is_not_said_to_fail(live: Live, upgrade: str) -> None:
    live.run(USERS, CLEAN)
    case = live.judge(upgrade)
    assert (case.failing, case.error) == (set(), None)


ADDED = {
    "now": "sa.Column('c', sa.DateTime(), server_default=sa.func.now())",
    "stored": "sa.Column('c', sa.Integer(), sa.Computed('id + 1', persisted=True))",
}


@only("sqlite")
@pytest.mark.parametrize("column", ADDED.values(), ids=ADDED)
def test_a_column_that_sqlite_cannot_add(live: Live, column: str) -> None:
    live.run(USERS, CLEAN)
    case = live.judge(f"op.add_column('users', {column})")
    assert case.of("sqlite-add-column") == [CRITICAL]
    assert case.error is not None


@only("sqlite")
def test_an_empty_table_takes_a_computed_default(live: Live) -> None:
    live.run(USERS)
    case = live.judge(f"op.add_column('users', {ADDED['now']})")
    assert (case.of("sqlite-add-column"), case.error) == ([], None)


# What depends on it


@only("postgresql")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        ("op.drop_column('users', 'name')", True),
        ("op.drop_column('users', 'team')", False),
        ("op.drop_table('users')", True),
        ("op.alter_column('users', 'name', existing_type=sa.String(20), type_=sa.Text())", True),
        ("op.execute('DROP VIEW names')\nop.drop_column('users', 'name')", False),
    ],
)
def test_a_view_keeps_its_columns_on_postgresql(live: Live, upgrade: str, *, fails: bool) -> None:
    live.run(USERS, "CREATE VIEW names AS SELECT name FROM users")
    case = live.judge(upgrade)
    assert ("dependents" in case.failing) == (case.error is not None) == fails


@only("postgresql", "mariadb")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        ("op.drop_table('users')", True),
        ("op.drop_table('tasks')\nop.drop_table('users')", False),
        ("op.drop_constraint('fk', 'tasks', type_='foreignkey')\nop.drop_table('users')", False),
    ],
)
def test_a_foreign_key_keeps_its_table(live: Live, upgrade: str, *, fails: bool) -> None:
    live.run(
        USERS,
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, owner INTEGER,"
        " CONSTRAINT fk FOREIGN KEY (owner) REFERENCES users (id))",
    )
    case = live.judge(upgrade)
    assert ("dependents" in case.failing) == (case.error is not None) == fails


@only("sqlite")
def test_a_view_stops_a_batch_block(live: Live) -> None:
    live.run(USERS, CLEAN, "CREATE VIEW names AS SELECT name FROM users")
    case = live.judge(COPY)
    assert case.of("dependents") == [CRITICAL]
    assert case.error is not None


# Types

TO_INTEGER = "op.alter_column('users', 'name', existing_type=sa.String(20), type_=sa.Integer(){})"
USING = ", postgresql_using='name::integer'"
DIGITS = "INSERT INTO users VALUES (1, '12', 1), (2, NULL, 1)"


@only("postgresql")
@pytest.mark.parametrize(
    ("upgrade", "data", "fails"),
    [
        (TO_INTEGER.format(""), (), True),
        (TO_INTEGER.format(USING), (), False),
        (TO_INTEGER.format(USING), (DIGITS,), False),
        (TO_INTEGER.format(USING), (CLEAN,), True),
        (
            "op.alter_column('users', 'team', existing_type=sa.Integer(), type_=sa.Text())",
            (CLEAN,),
            False,
        ),
        (
            "op.alter_column('users', 'team', existing_type=sa.Integer(), type_=sa.Boolean())",
            (),
            True,
        ),
        (
            "op.alter_column('users', 'team', existing_type=sa.Integer(), type_=sa.Numeric(9, 2))",
            (CLEAN,),
            False,
        ),
    ],
)
def test_a_cast_fails_exactly_where_it_is_said_to(
    live: Live, upgrade: str, data: tuple[str, ...], *, fails: bool
) -> None:
    live.run(USERS, *data)
    case = live.judge(upgrade)
    assert ("cast" in case.failing) == (case.error is not None) == fails, case


@only("postgresql")
@pytest.mark.parametrize("dropped", [True, False])
def test_an_old_default_has_to_convert_too(live: Live, *, dropped: bool) -> None:
    live.run("CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20) DEFAULT '5')")
    first = "op.alter_column('users', 'name', server_default=None)\n" if dropped else ""
    case = live.judge(f"{first}{TO_INTEGER.format(USING)}")
    assert ("cast" in case.failing) == (case.error is not None) == (not dropped)


@only("mariadb")
@pytest.mark.parametrize(("data", "fails"), [(CLEAN, True), (DIGITS, False)])
def test_a_strict_mariadb_refuses_texts_that_are_no_number(
    live: Live, data: str, *, fails: bool
) -> None:
    live.run(USERS, data)
    case = live.judge(TO_INTEGER.format(", existing_nullable=True"))
    assert ("cast" in case.failing) == (case.error is not None) == fails


@only("sqlite")
@pytest.mark.parametrize(("data", "expected"), [(CLEAN, [LOSES]), (DIGITS, [])])
def test_sqlite_makes_nothing_of_texts_that_are_no_number(
    live: Live, data: str, expected: Any
) -> None:
    live.run(USERS, data)
    case = live.judge(
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(20), type_=sa.Integer())"
    )
    assert (case.of("cast"), case.error) == (expected, None)
    lost = ("ann",) not in live.rows("SELECT name FROM users") and expected
    assert (live.rows("SELECT name FROM users WHERE id = 1") == [(0,)]) == bool(lost)


ZONED = (
    "op.alter_column('t', 'at', existing_type=sa.DateTime(), type_=sa.DateTime(timezone=True){})"
)


@only("postgresql")
@pytest.mark.parametrize(
    ("zone", "using", "expected", "shifted"),
    [
        ("UTC", "", [("WARNING", "design")], False),
        ("America/New_York", "", [LOSES], True),
        ("America/New_York", ", postgresql_using=\"at AT TIME ZONE 'UTC'\"", [], False),
    ],
)
def test_timestamps_shift_by_the_zone_of_the_session(
    live: Live, zone: str, using: str, expected: Any, *, shifted: bool
) -> None:
    live.run("CREATE TABLE t (at TIMESTAMP)")
    assert live.review(ZONED.format(using)).of("timezone-shift") == []
    live.run("INSERT INTO t VALUES ('2026-01-01 12:00')")
    on_connect(live, f"SET TIME ZONE '{zone}'")
    case = live.judge(ZONED.format(using))
    assert (case.of("timezone-shift"), case.error) == (expected, None)
    moved = live.rows("SELECT at <> TIMESTAMPTZ '2026-01-01 12:00+00' FROM t")
    assert moved == [(shifted,)]


@only("postgresql")
def test_jsonb_forgets_how_it_was_written(live: Live) -> None:
    live.run("CREATE TABLE t (j JSON)")
    to_jsonb = (
        "op.alter_column('t', 'j', existing_type=postgresql.JSON(), type_=postgresql.JSONB())"
    )
    assert live.review(to_jsonb).of("json-jsonb") == []
    live.run('INSERT INTO t VALUES (\'{"b": 1, "a": 2, "a": 3}\')')
    case = live.judge(to_jsonb)
    assert (case.of("json-jsonb"), case.error) == ([("WARNING", "loses_data")], None)
    assert live.rows("SELECT j::text FROM t") == [('{"a": 3, "b": 1}',)]


ENUM = "CREATE TABLE t (id INTEGER PRIMARY KEY, s ENUM('a', 'b', 'c'))"


def modify(*labels: str) -> str:
    old, new = (", ".join(map(repr, names)) for names in (("a", "b", "c"), labels))
    return (
        f"op.alter_column('t', 's', existing_type=sa.Enum({old}), type_=sa.Enum({new}), "
        "existing_nullable=True, existing_server_default=None)"
    )


@only("mariadb")
@pytest.mark.parametrize("strict", [True, False])
def test_a_removed_label_fails_or_empties_its_rows(live: Live, *, strict: bool) -> None:
    live.run(ENUM, "INSERT INTO t VALUES (1, 'a')")
    if not strict:
        on_connect(live, "SET sql_mode = ''")
    assert live.review(modify("a", "b")).of("enum-remove") == []
    live.run("INSERT INTO t VALUES (2, 'c')")
    case = live.judge(modify("a", "b"))
    assert case.of("enum-remove") == [CRITICAL if strict else LOSES]
    assert (case.error is not None) == strict
    assert live.rows("SELECT s FROM t WHERE id = 2") == [("c" if strict else "",)]


@only("mariadb")
def test_labels_in_another_order_sort_otherwise(live: Live) -> None:
    live.run(ENUM, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    assert live.review(modify("a", "b", "c", "d")).of("enum-reorder") == []
    case = live.judge(modify("b", "a", "c"))
    assert (case.of("enum-reorder"), case.error) == ([("WARNING", "design")], None)
    assert live.rows("SELECT s FROM t ORDER BY s") == [("b",), ("a",)]


REPLACED = """\
op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM ('a', 'b')")
op.alter_column('t', 's', existing_type=sa.Text(), type_=postgresql.ENUM(name='mood',
    create_type=False), postgresql_using='s::text::mood')
op.execute("DROP TYPE mood_old")"""


@only("postgresql")
@pytest.mark.parametrize(("value", "expected"), [("a", []), ("c", [CRITICAL])])
def test_a_type_made_anew_without_a_label_that_is_used(
    live: Live, value: str, expected: Any
) -> None:
    live.run(
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s mood)",
        f"INSERT INTO t VALUES (1, '{value}')",
    )
    case = live.judge(REPLACED)
    assert case.of("enum-remove") == expected
    assert (case.error is not None) == bool(expected)


# What MySQL and MariaDB do by themselves


@only("mariadb")
@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("", [("CRITICAL", "design")]),
        (", existing_nullable=False, existing_server_default='x'", []),
    ],
)
def test_modify_drops_what_is_not_stated(live: Live, stated: str, expected: Any) -> None:
    live.run("CREATE TABLE t (id INTEGER PRIMARY KEY, s VARCHAR(20) NOT NULL DEFAULT 'x')")
    case = live.judge(
        f"op.alter_column('t', 's', existing_type=sa.String(20), type_=sa.String(30){stated})"
    )
    assert (case.of("mysql-modify-attrs"), case.error) == (expected, None)
    left = live.rows(
        "SELECT is_nullable, column_default IS NULL OR column_default = 'NULL' FROM"
        " information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't'"
        " AND column_name = 's'"
    )
    assert left == [("YES", 1) if expected else ("NO", 0)]


@only("mariadb")
def test_modify_stops_counting_where_it_is_not_told_to(live: Live) -> None:
    live.run("CREATE TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT)")
    case = live.judge(
        "op.alter_column('t', 'id', existing_type=sa.Integer(), type_=sa.BigInteger(), "
        "existing_nullable=False)"
    )
    assert case.of("mysql-modify-attrs") == [("CRITICAL", "design")]
    ((made,),) = [row[1:] for row in live.rows("SHOW CREATE TABLE t")]
    assert "AUTO_INCREMENT" not in made


@only("mariadb")
def test_a_server_that_is_not_strict_cuts_off(live: Live) -> None:
    live.run(USERS, CLEAN)
    assert live.review(NARROW).of("mysql-nonstrict") == []
    on_connect(live, "SET sql_mode = ''")
    case = live.judge(NARROW)
    assert case.of("mysql-nonstrict") == [("WARNING", "design")]
    assert case.of("narrow") == [LOSES]
    assert case.error is None
    assert live.rows("SELECT name FROM users WHERE id = 1") == [("an",)]


DROP_KEY = "op.drop_constraint('fk', 'tasks', type_='foreignkey')"


@only("mariadb")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        ("op.drop_index('ix_owner', table_name='tasks')", True),
        (f"{DROP_KEY}\nop.drop_index('ix_owner', table_name='tasks')", False),
    ],
)
def test_an_index_that_a_key_needs_is_not_dropped(live: Live, upgrade: str, *, fails: bool) -> None:
    live.run(
        USERS,
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, owner INTEGER, KEY ix_owner (owner),"
        " CONSTRAINT fk FOREIGN KEY (owner) REFERENCES users (id))",
    )
    case = live.judge(upgrade)
    assert ("mysql-index-of-fk" in case.failing) == (case.error is not None) == fails


# Names, types and transactions

LONG = "n" * 65


@only("postgresql", "mariadb")
@pytest.mark.parametrize(
    "upgrade",
    [
        f"op.create_index('{LONG}', 'users', ['name'])",
        f"op.create_unique_constraint('{LONG}', 'users', ['id'])",
        f"op.add_column('users', sa.Column('{LONG}', sa.Integer()))",
    ],
    ids=["index", "constraint", "column"],
)
def test_a_name_that_is_too_long(live: Live, upgrade: str) -> None:
    live.run(USERS)
    case = live.judge(upgrade)
    assert ("name-too-long" in case.failing) == (case.error is not None), case
    assert len(case.of("name-too-long")) == 1
    assert live.review(upgrade.replace(LONG, "short")).of("name-too-long") == []


@only("postgresql", "mariadb", "sqlite")
def test_only_mariadb_wants_a_length(live: Live) -> None:
    live.run(USERS)
    case = live.judge("op.add_column('users', sa.Column('nick', sa.String()))")
    wants = live.dialect == "mysql"
    assert ("varchar-without-length" in case.failing) == (case.error is not None) == wants


CONCURRENTLY = "op.create_index('ix', 'users', ['name'], postgresql_concurrently=True)"


@only("postgresql")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        (CONCURRENTLY, True),
        (f"with op.get_context().autocommit_block():\n    {CONCURRENTLY}", False),
    ],
)
def test_concurrently_needs_a_block_of_its_own(live: Live, upgrade: str, *, fails: bool) -> None:
    live.run(USERS)
    case = live.judge(upgrade)
    assert ("concurrently-in-transaction" in case.failing) == (case.error is not None) == fails


ADD_VALUE = "op.execute(\"ALTER TYPE mood ADD VALUE 'new'\")"
USE = "op.execute(\"INSERT INTO t VALUES ('new')\")"


@only("postgresql")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        (f"{ADD_VALUE}\n{USE}", True),
        (f"{ADD_VALUE}\nop.alter_column('t', 's', server_default='new')", True),
        (f"with op.get_context().autocommit_block():\n    {ADD_VALUE}\n{USE}", False),
        (ADD_VALUE, False),
    ],
)
def test_a_new_label_is_not_used_before_it_is_committed(
    live: Live, upgrade: str, *, fails: bool
) -> None:
    live.run("CREATE TYPE mood AS ENUM ('a')", "CREATE TABLE t (s mood)")
    case = live.judge(upgrade)
    assert ("enum-add-use" in case.failing) == (case.error is not None) == fails, case


MOOD = "sa.Enum('a', 'b', name='mood')"
ADD_MOOD = f"op.add_column('users', sa.Column('mood', {MOOD}))"


@only("postgresql")
@pytest.mark.parametrize(
    ("upgrade", "fails"),
    [
        (ADD_MOOD, True),
        (f"{MOOD}.create(op.get_bind(), checkfirst=True)\n{ADD_MOOD}", False),
        (f"op.execute(\"CREATE TYPE mood AS ENUM ('a')\")\n{ADD_MOOD}", False),
    ],
)
def test_a_column_of_an_enum_needs_its_type(live: Live, upgrade: str, *, fails: bool) -> None:
    live.run(USERS)
    case = live.judge(upgrade)
    assert ("enum-add-column" in case.failing) == (case.error is not None) == fails, case
