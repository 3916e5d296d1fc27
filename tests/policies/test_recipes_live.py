"""Every recipe runs on every database it serves: over rows, up, down and up again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.policies.live import Live, lives
from tests.policies.recipe_cases import CASES, Tried
from tests.policies.recipe_trying import BY_ID, mended, set_up

from rulezero_policies.rules.rule import revision
from rulezero_tools.mending import Version
from rulezero_tools.recipes import RECIPES

pytestmark = pytest.mark.proves("A14")

URLS = {"postgresql": "postgres_url", "mysql": "mariadb_url", "sqlite": "sqlite_url"}
EACH = [(case, database) for case in CASES for database in case.databases]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'live.db').as_posix()}"


@pytest.fixture
def live(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    url = request.getfixturevalue(URLS[database])
    yield from lives(sa.create_engine(url, poolclass=sa.NullPool), tmp_path)


def found(version: Version) -> set[tuple[str, str]]:
    return {(f.rule, f.subject) for f in version.findings}


def shape(live: Live) -> dict[str, Any]:
    """The tables as they are, and how many rows are in each."""
    seen = sa.inspect(live.engine)
    return {
        table: (
            sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c["default"]))
                for c in seen.get_columns(table)
            ),
            sorted(str(i["name"]) for i in seen.get_indexes(table)),
            sorted(str(k["referred_table"]) for k in seen.get_foreign_keys(table)),
            sorted(str(u["name"]) for u in seen.get_unique_constraints(table)),
            live.rows(f"SELECT count(*) FROM {table}"),
        )
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


@pytest.mark.parametrize(("tried", "database"), EACH, ids=lambda v: getattr(v, "rule", v))
def test_a_recipe_runs_where_it_serves(live: Live, tried: Tried) -> None:
    set_up(live, tried)
    was = shape(live)
    before, done = mended(live, tried)
    assert tried.rule in {f.rule for f in before.findings}
    assert done.not_cured == ()
    assert tried.rule not in {f.rule for f in done.version.findings}
    assert found(done.version) <= found(before)
    for target in ("head", "base", "head"):
        assert live.move(target) is None, (target, done.version.text)
        if target == "head":
            assert tried.holds(live), done.version.text
        elif not tried.leaves:
            assert shape(live) == was, done.version.text


@pytest.mark.parametrize("database", ["postgresql"])
def test_on_a_large_table_nothing_is_built_or_checked_under_a_lock(live: Live) -> None:
    live.run(
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, user_id INTEGER, title VARCHAR(50))",
        "INSERT INTO users VALUES (1)",
        "INSERT INTO tasks VALUES (1, 1, 'a'), (2, NULL, 'b')",
    )
    text = revision(
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
    )
    _, done = mended(live, Tried(rule="index-lock", text=text, holds=bool), everything=True)
    assert done.version.findings == (), done.version.text
    assert "# who it is for" in done.version.text
    for target in ("head", "base", "head"):
        assert live.move(target) is None, target
    made = "FROM pg_constraint WHERE conrelid = 'tasks'::regclass AND contype IN ('f', 'u')"
    seen = live.rows(f"SELECT conname, convalidated {made}")
    assert sorted(seen) == [("fk_tasks_user_id_users", True), ("uq_tasks_title", True)]
    assert live.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert live.move("base") is None
    assert live.rows(f"SELECT count(*) {made}") == [(0,)]
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE column_name = 'title'"
    assert live.rows(nullable) == [("YES",)]


@pytest.mark.parametrize("database", ["mysql"])
def test_a_metadata_lock_is_waited_for_no_longer_than_said(live: Live) -> None:
    tried = next(c for c in CASES if c.rule == "mysql-metadata-lock")
    set_up(live, tried)
    _, done = mended(live, tried)
    seen: list[tuple[str, int]] = []

    def look(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        with cursor.connection.cursor() as other:
            other.execute("SELECT @@lock_wait_timeout")
            seen.append((statement.split(maxsplit=1)[0], other.fetchone()[0]))

    event.listen(live.engine, "before_cursor_execute", look)
    assert live.move("head") is None, done.version.text
    assert {seconds for verb, seconds in seen if verb == "ALTER"} == {5}
    assert seen[0][1] == seen[-1][1] > 5, "the connection goes on as it was"


def test_every_recipe_has_run_on_every_database_it_serves() -> None:
    served = {
        (rule, database)
        for recipe in RECIPES
        for rule in recipe.rules
        for database in recipe.databases
        if database in BY_ID[rule].databases
    }
    assert {(case.rule, database) for case, database in EACH} == served
