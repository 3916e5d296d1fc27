"""What recipes write runs on real databases: up, down and up again, over rows in the way."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.policies.live import Live, lives

from rulezero_policies.rules import review
from rulezero_policies.rules.rule import revision
from rulezero_tools.mending import Means, Mended, Version, mend

DATABASES = {"postgresql": "postgres_url", "mysql": "mariadb_url", "sqlite": "sqlite_url"}

pytestmark = pytest.mark.proves("A14")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'live.db').as_posix()}"


@pytest.fixture(params=DATABASES)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    url = request.getfixturevalue(DATABASES[request.param])
    yield from lives(sa.create_engine(url, poolclass=sa.NullPool), tmp_path)


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("live", names, indirect=True)


def reading(live: Live, size: int | None = None) -> Callable[[str], Version]:
    def read(text: str) -> Version:
        scene = live.scene(text, size=size)
        return Version(text=text, scene=scene, findings=review(scene))

    return read


def mended(live: Live, upgrade: str, downgrade: str, *, size: int | None = None) -> Mended:
    """The revision mended, and the file written."""
    read = reading(live, size)
    means = Means(read=read, defaults=lambda: {("tasks", "priority"): "'medium'"})
    done = mend(read(revision(upgrade, downgrade)), means)
    read(done.version.text)
    return done


def left(done: Mended) -> set[str]:
    return {f.rule for f in done.version.findings}


def enforce(raw: Any, _: Any) -> None:
    raw.execute("PRAGMA foreign_keys=ON")


def there_and_back(live: Live) -> None:
    for target in ("head", "base", "head"):
        assert live.move(target) is None, target


def test_a_not_null_column_reaches_rows_that_refused_it(live: Live) -> None:
    live.run("CREATE TABLE tasks (id INTEGER PRIMARY KEY)", "INSERT INTO tasks VALUES (1)")
    done = mended(
        live,
        "op.add_column('tasks', sa.Column('priority', sa.String(20), nullable=False))",
        "pass",
    )
    assert left(done) == set()
    there_and_back(live)
    assert live.rows("SELECT priority FROM tasks") == [("medium",)]


def test_nulls_get_the_server_default_before_they_are_refused(live: Live) -> None:
    live.run(
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title VARCHAR(50) DEFAULT 'none')",
        "INSERT INTO tasks VALUES (1, NULL)",
    )
    step = (
        "with op.batch_alter_table('tasks') as batch_op:\n"
        "    batch_op.alter_column('title', existing_type=sa.String(50), nullable={}, "
        "existing_server_default=sa.text(\"'none'\"))"
    )
    done = mended(live, step.format(False), step.format(True))
    assert "set-not-null" not in left(done)
    there_and_back(live)
    assert live.rows("SELECT title FROM tasks") == [("none",)]


@only("postgresql")
def test_on_a_large_table_nothing_is_built_or_checked_under_a_lock(live: Live) -> None:
    live.run(
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, user_id INTEGER, title VARCHAR(50))",
        "INSERT INTO users VALUES (1)",
        "INSERT INTO tasks VALUES (1, 1, 'a'), (2, NULL, 'b')",
    )
    done = mended(
        live,
        "with op.batch_alter_table('tasks') as batch_op:\n"
        "    # who it is for\n"
        "    batch_op.create_index(batch_op.f('ix_tasks_user_id'), ['user_id'], unique=False)\n"
        "    batch_op.create_foreign_key(None, 'users', ['user_id'], ['id'])\n"
        "    batch_op.create_unique_constraint('uq_tasks_title', ['title'])\n"
        "    batch_op.alter_column('title', existing_type=sa.String(50), nullable=False)",
        "with op.batch_alter_table('tasks') as batch_op:\n"
        "    batch_op.alter_column('title', existing_type=sa.String(50), nullable=True)\n"
        "    batch_op.drop_constraint('uq_tasks_title', type_='unique')\n"
        "    batch_op.drop_constraint(None, type_='foreignkey')\n"
        "    batch_op.drop_index(batch_op.f('ix_tasks_user_id'))",
        size=5_000_000,
    )
    assert left(done) == set(), done.version.text
    assert "# who it is for" in done.version.text
    there_and_back(live)
    made = "FROM pg_constraint WHERE conrelid = 'tasks'::regclass AND contype IN ('f', 'u')"
    seen = live.rows(f"SELECT conname, convalidated {made}")
    assert sorted(seen) == [("fk_tasks_user_id_users", True), ("uq_tasks_title", True)]
    assert live.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert live.move("base") is None
    assert live.rows(f"SELECT count(*) {made}") == [(0,)]
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE column_name = 'title'"
    assert live.rows(nullable) == [("YES",)]


@only("postgresql")
def test_a_type_that_a_column_needs_is_made_and_dropped_with_it(live: Live) -> None:
    live.run("CREATE TABLE people (id INTEGER PRIMARY KEY)", "INSERT INTO people VALUES (1)")
    done = mended(
        live,
        "op.add_column('people', sa.Column('mood', sa.Enum('sad', 'ok', name='mood')))",
        "op.drop_column('people', 'mood')",
    )
    assert left(done) == set()
    there_and_back(live)
    assert live.move("base") is None
    assert live.rows("SELECT count(*) FROM pg_type WHERE typname = 'mood'") == [(0,)]


@only("postgresql")
def test_a_label_is_there_before_it_is_used(live: Live) -> None:
    live.run(
        "CREATE TYPE mood AS ENUM ('sad')",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mood mood)",
        "INSERT INTO people VALUES (1, NULL)",
    )
    steps = (
        "op.execute(\"ALTER TYPE mood ADD VALUE 'glad'\")\n"
        "op.execute(\"UPDATE people SET mood = 'glad' WHERE mood IS NULL\")"
    )
    read = reading(live)
    done = mend(read(revision(steps, "pass")), Means(read=read), only=["enum-add-use"])
    read(done.version.text)
    there_and_back(live)
    assert live.rows("SELECT mood::text FROM people") == [("glad",)]


@only("mysql")
def test_modify_keeps_not_null_and_the_default_both_ways(live: Live) -> None:
    live.run(
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title VARCHAR(50) NOT NULL DEFAULT 'x')",
        "INSERT INTO tasks VALUES (1, 'a')",
    )
    step = "op.alter_column('tasks', 'title', existing_type=sa.String({}), type_=sa.String({}))"
    done = mended(live, step.format(50, 99), step.format(99, 50))
    assert "mysql-modify-attrs" not in left(done)
    definition = (
        "SELECT is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND column_name = 'title'"
    )
    for target in ("head", "base", "head"):
        assert live.move(target) is None
        assert live.rows(definition) == [("NO", "'x'")]


@only("sqlite")
def test_copying_a_table_takes_no_row_of_those_that_refer_to_it(live: Live) -> None:
    event.listen(live.engine, "connect", enforce)
    live.run(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50))",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, "
        "user_id INTEGER REFERENCES users (id) ON DELETE CASCADE)",
        "INSERT INTO users VALUES (1, 'ann')",
        "INSERT INTO tasks VALUES (1, 1)",
    )
    step = "op.alter_column('users', 'name', existing_type=sa.String(50), server_default={})"
    done = mended(live, step.format("'x'"), step.format(None))
    assert left(done) <= {"drop-default"}, done.version.text
    for target in ("head", "base", "head"):
        assert live.move(target) is None
        assert live.rows("SELECT count(*) FROM tasks") == [(1,)], (target, done.version.text)


@only("sqlite")
def test_a_column_that_sqlite_cannot_add_comes_with_a_copy(live: Live) -> None:
    live.run("CREATE TABLE tasks (id INTEGER PRIMARY KEY)", "INSERT INTO tasks VALUES (1)")
    done = mended(
        live,
        "op.add_column('tasks', sa.Column('made', sa.DateTime(), "
        "server_default=sa.text('(CURRENT_TIMESTAMP)')))",
        "op.drop_column('tasks', 'made')",
    )
    assert left(done) == set()
    there_and_back(live)
    assert live.rows("SELECT made IS NOT NULL FROM tasks") == [(1,)]
