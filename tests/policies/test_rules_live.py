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
