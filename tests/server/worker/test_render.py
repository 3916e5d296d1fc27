"""The SQL of a run, without the run."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from rulezero_server.worker import render
from rulezero_tools.records import Rendered

CREATE = 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))'


def rendered(
    loaded: Any, direction: str = "upgrade", start: str = "base", to: str = "a1"
) -> Rendered:
    found = render.render(loaded, {"direction": direction, "start": start, "to": to})
    return TypeAdapter(Rendered).validate_python(found)


def test_both_directions_are_rendered_and_nothing_is_executed(
    project: Any, source: Any, filled_url: str, looks: Any
) -> None:
    before = looks(filled_url)
    loaded = project(filled_url, {"a1.py": source(CREATE, "op.drop_table('users')")})
    up, down = rendered(loaded), rendered(loaded, "downgrade", "a1", "base")
    assert "CREATE TABLE users" in (up.sql or "")
    assert "INSERT INTO alembic_version" in (up.sql or "")
    assert "DROP TABLE users" in (down.sql or "")
    assert (up.reason, down.reason) == (None, None)
    assert looks(filled_url) == before


def test_a_run_starts_where_it_is_said_to(project: Any, source: Any, sqlite_url: str) -> None:
    files = {
        "a1.py": source(CREATE),
        "b2.py": source("op.drop_table('old')", revision="b2", down="a1"),
    }
    found = rendered(project(sqlite_url, files), start="a1", to="b2")
    assert "DROP TABLE old" in (found.sql or "")
    assert "users" not in (found.sql or "")


def test_tables_created_by_hand_are_rendered_too(
    project: Any, source: Any, sqlite_url: str
) -> None:
    upgrade = 'sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer)).create(op.get_bind())'
    found = rendered(project(sqlite_url, {"a1.py": source(upgrade)}))
    assert "CREATE TABLE t" in (found.sql or "")


@pytest.mark.parametrize(
    ("upgrade", "reason"),
    [
        (
            'with op.batch_alter_table("notes") as batch:\n    batch.drop_column("body")',
            "batch mode",
        ),
        ('op.get_bind().execute(sa.text("SELECT 1")).fetchall()', "'NoneType' object"),
        ("raise ValueError('postgresql://me:hunter2@db/x')", "ValueError"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_what_cannot_be_rendered_says_why_in_a_sentence(
    project: Any, source: Any, sqlite_url: str, upgrade: str, reason: str
) -> None:
    found = rendered(project(sqlite_url, {"a1.py": source(upgrade)}))
    assert found.sql is None
    assert reason in (found.reason or "")
    assert (found.reason or "").endswith(".")
    assert "hunter2" not in (found.reason or "")


def test_an_env_script_that_knows_no_offline_mode_says_so(
    project: Any, source: Any, sqlite_url: str
) -> None:
    env = (
        "from alembic import context\nif context.is_offline_mode():\n    raise RuntimeError('no')\n"
    )
    found = rendered(project(sqlite_url, {"a1.py": source(CREATE)}, env=env))
    assert found.sql is None
    assert "RuntimeError: no" in (found.reason or "")


def test_an_env_script_that_renders_nothing_says_so(
    project: Any, source: Any, sqlite_url: str
) -> None:
    found = rendered(project(sqlite_url, {"a1.py": source(CREATE)}, env="VALUE = 1\n"))
    assert found.sql is None
    assert found.reason is not None


def test_the_configuration_prints_where_it_printed_before(
    project: Any, source: Any, sqlite_url: str
) -> None:
    loaded = project(sqlite_url, {"a1.py": source("raise ValueError")})
    before = loaded.config.output_buffer
    rendered(loaded)
    assert loaded.config.output_buffer is before
