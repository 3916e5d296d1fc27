"""The one thing the worker does that changes a database."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from rulezero_server import launch
from rulezero_server.project import WorkerProject
from rulezero_server.worker import describe, run
from rulezero_tools.records import RunReport

pytestmark = pytest.mark.usefixtures("unsealed")

CREATE = 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))'
DROP = 'op.drop_table("users")'

SEALED = {".py", ".mako", ".ini", ".sql"}

Runs = Callable[..., RunReport]


def seals(root: str, copies: Path) -> dict[str, dict[str, str]]:
    """Every file of the project, sealed as it is now."""
    sealed: dict[str, dict[str, str]] = {}
    files = [f for f in sorted(Path(root).rglob("*")) if f.suffix in SEALED]
    for number, file in enumerate(files):
        copy = copies / f"sealed-{number}"
        copy.write_bytes(file.read_bytes())
        digest = hashlib.sha256(copy.read_bytes()).hexdigest()
        sealed[str(file)] = {"sealed": str(copy), "sha256": digest}
    return sealed


@pytest.fixture
def runs(tmp_path: Path, reload: Any) -> Runs:
    """`runs(loaded, direction, to, start, change=)`: seal, change the working tree, run."""

    def go(
        loaded: Any,
        direction: str = "upgrade",
        to: str = "a1",
        start: tuple[str, ...] = (),
        *,
        change: Callable[[], Any] = lambda: None,
        approved: dict[str, Any] | None = None,
    ) -> RunReport:
        sealed = seals(loaded.root, tmp_path)
        identity = describe.database(loaded)["identity"]
        args = {"direction": direction, "to": to, "from": list(start), "sealed": sealed}
        args["identity"] = {**identity, **(approved or {})}
        run.prepare(args, loaded.root)
        change()
        return TypeAdapter(RunReport).validate_python(run.run(reload(loaded), args))

    return go


@pytest.mark.proves("D03")
def test_the_approved_revisions_run_and_every_statement_is_told(
    project: Any, source: Any, filled_url: str, looks: Any, runs: Runs
) -> None:
    loaded = project(filled_url, {"a1.py": source(CREATE, DROP)})
    file = Path(loaded.root, "migrations", "versions", "a1.py")
    report = runs(loaded, change=lambda: file.write_text("raise SystemExit('swapped')"))
    assert report.error is None
    assert report.seconds > 0
    assert [s.split("\n")[0].partition(" (")[0] for s in report.statements] == [
        "CREATE TABLE alembic_version",
        "CREATE TABLE users",
        "INSERT INTO alembic_version",
    ]
    assert looks(filled_url).keys() == {"alembic_version", "notes", "users"}
    assert looks(filled_url)["alembic_version"][1] == [("a1",)]


def test_a_downgrade_goes_back(
    project: Any, source: Any, filled_url: str, looks: Any, runs: Runs
) -> None:
    loaded = project(filled_url, {"a1.py": source(CREATE, DROP)})
    runs(loaded)
    report = runs(loaded, "downgrade", "base", ("a1",))
    assert report.error is None
    assert "DROP TABLE users" in report.statements
    assert looks(filled_url).keys() == {"alembic_version", "notes"}
    assert looks(filled_url)["alembic_version"][1] == []


def test_a_run_stops_at_the_revision_it_was_approved_for(
    project: Any, source: Any, sqlite_url: str, looks: Any, runs: Runs
) -> None:
    files = {
        "a1.py": source(CREATE),
        "b2.py": source('op.drop_table("notes")', revision="b2", down="a1"),
    }
    assert runs(project(sqlite_url, files), to="a1").error is None
    assert "notes" in looks(sqlite_url)


@pytest.mark.proves("A01", "C02")
def test_another_database_than_the_approved_one_gets_nothing_sent(
    project: Any, source: Any, filled_url: str, looks: Any, runs: Runs
) -> None:
    before = looks(filled_url)
    loaded = project(filled_url, {"a1.py": source(CREATE)})
    report = runs(loaded, approved={"name": "another"})
    assert report.statements == ()
    assert "not the database that was approved" in (report.error or "")
    assert looks(filled_url) == before


@pytest.mark.proves("A01")
def test_a_database_that_moved_on_gets_nothing_sent(
    project: Any, source: Any, filled_url: str, looks: Any, runs: Runs
) -> None:
    before = looks(filled_url)
    loaded = project(filled_url, {"a1.py": source(CREATE)})
    report = runs(loaded, start=("zz",))
    assert report.statements == ()
    assert "the database is at base, not at zz" in (report.error or "")
    assert looks(filled_url) == before


@pytest.mark.proves("A18")
def test_a_failed_run_tells_the_databases_error_and_the_line(
    project: Any, source: Any, filled_url: str, looks: Any, runs: Runs
) -> None:
    upgrade = f'{CREATE}\nop.execute("INSERT INTO notes (id) VALUES (1)")'
    report = runs(project(filled_url, {"a1.py": source(upgrade)}))
    assert "INSERT INTO notes (id) VALUES (1)" in report.statements
    assert (report.error or "").startswith(("IntegrityError: ", "UniqueViolation: "))
    assert (report.error or "").endswith("(migrations/versions/a1.py, line 11)")
    assert looks(filled_url).get("alembic_version", ([], []))[1] == []


@pytest.mark.proves("D03")
def test_a_revision_that_appeared_after_the_approval_stops_the_run(
    project: Any, source: Any, sqlite_url: str, looks: Any, runs: Runs
) -> None:
    loaded = project(sqlite_url, {"a1.py": source(CREATE)})
    new = Path(loaded.root, "migrations", "versions", "b2.py")
    report = runs(loaded, change=lambda: new.write_text(source(DROP, revision="b2", down="a1")))
    assert report.statements == ()
    assert "b2.py was not part of what was approved" in (report.error or "")
    assert looks(sqlite_url).keys() == {"notes"}


def test_statements_carry_no_values_and_have_an_end(
    project: Any, source: Any, sqlite_url: str, runs: Runs
) -> None:
    upgrade = """
    op.get_bind().execute(sa.text("UPDATE notes SET body = :body"), {"body": "private"})
    op.execute("UPDATE notes SET body = '" + "x" * 9000 + "'")
    """
    report = runs(project(sqlite_url, {"a1.py": source(upgrade)}))
    assert "private" not in str(report)
    assert max(len(s) for s in report.statements) == 4000


@pytest.mark.proves("B15")
def test_a_password_in_an_error_stays_inside(
    project: Any, source: Any, sqlite_url: str, runs: Runs
) -> None:
    upgrade = "raise ValueError('postgresql://me:hunter2@db/x')"
    report = runs(project(sqlite_url, {"a1.py": source(upgrade)}))
    assert "ValueError" in (report.error or "")
    assert "hunter2" not in (report.error or "")


ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine


def migrate(connection):
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(main())
"""


@pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "postgresql+psycopg"])
def test_an_asyncio_env_script_runs_each_revision_in_its_transaction(
    driver: str,
    request: pytest.FixtureRequest,
    project: Any,
    source: Any,
    looks: Any,
    runs: Runs,
) -> None:
    fixture = "sqlite_url" if driver.startswith("sqlite") else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    files = {
        "a1.py": source(CREATE),
        "b2.py": source("raise ValueError('half way')", revision="b2", down="a1"),
    }
    loaded = project(url.replace(url.partition(":")[0], driver, 1), files, env=ASYNC_ENV)
    report = runs(loaded, to="b2")
    assert "half way" in (report.error or "")
    assert looks(url)["alembic_version"][1] == [("a1",)]
    assert "users" in looks(url)


@pytest.mark.proves("D03")
def test_an_app_factorys_migrations_run_as_flask_db_upgrade_would(
    copy_project: Any, database_url: str, tmp_path: Path, looks: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    folder = copy_project("flask_notes")
    target = WorkerProject.open(folder).target
    sealed, start = seals(str(folder), tmp_path), list[str]()
    identity = asdict(WorkerProject.open(folder).describe().database.identity)
    args = {"to": "2b8e41f6a05c", "from": start, "identity": identity, "sealed": sealed}
    for file in (folder / "migrations" / "versions").glob("*.py"):
        file.write_text("raise SystemExit('swapped')", encoding="utf-8")
    report = launch.ask(target, "upgrade", args, mode="running").result
    assert report["error"] is None, json.dumps(report)
    assert looks(database_url).keys() == {"alembic_version", "events", "tasks", "users"}
    assert sa.make_url(database_url).get_backend_name() in {"sqlite", "postgresql"}
