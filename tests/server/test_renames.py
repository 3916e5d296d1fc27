"""A drop and an add that are called a rename become one, and the data is there, up and down."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_policies.errors import EnvScriptError
from rulezero_policies.renames import Rename, candidates
from rulezero_server.project import WorkerProject

MODELS = """
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Team(db.Model):
    __tablename__ = "teams"
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(50), nullable=False)
    colour = db.Column(db.String(20))


class User(db.Model):
    __tablename__ = "users"
    id = db.Column(db.Integer, primary_key=True)
    mail = db.Column(db.String(50), nullable=False, index=True, server_default="none")
    handle = db.Column(db.String(30), unique=True)
    team_id = db.Column(db.ForeignKey("teams.id", name="fk_users_team_id"), index=True)
"""

RENAMED = (
    MODELS.replace("    mail =", "    email =")
    .replace("    handle =", "    user_handle =")
    .replace('"teams.id", name="fk_users_team_id"', '"groups.id", name="fk_users_group_id"')
    .replace("    team_id =", "    group_id =")
    .replace('"teams"', '"groups"')
)

COLUMNS = (
    Rename(kind="column", table="users", old="mail", new="email"),
    Rename(kind="column", table="users", old="handle", new="user_handle"),
    Rename(kind="column", table="users", old="team_id", new="group_id"),
)
RENAMES = (*COLUMNS, Rename(kind="table", table="teams", old="teams", new="groups"))

Flask = Callable[..., None]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is empty, of every kind that renames are written for."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'database.sqlite').as_posix()}"
    kind = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return request.getfixturevalue(kind)


@pytest.fixture
def flask(copy_project: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Flask-Migrate project whose database holds a team and a user by their old names."""
    folder: Path = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", database_url)
    for file in (folder / "migrations" / "versions").glob("*.py"):
        file.unlink()
    write(folder, MODELS)
    db(folder, "migrate", "-m", "first")
    db(folder, "upgrade")
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO teams (id, title) VALUES (7, 'red')"))
        values = "(1, 'ann@here', 'ann', 7)"
        named = "INSERT INTO users (id, mail, handle, team_id) VALUES "
        connection.execute(sa.text(named + values))
    write(folder, RENAMED)
    return folder


def write(folder: Path, models: str) -> None:
    (folder / "notes" / "models.py").write_text(models, encoding="utf-8")


def db(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", *command],
        cwd=folder,
        env={**os.environ, "FLASK_APP": "notes:create_app", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def schema(url: str) -> dict[str, Any]:
    look = sa.inspect(sa.create_engine(url, poolclass=sa.NullPool))
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)],
            sorted((str(i["name"]), str(i["column_names"])) for i in look.get_indexes(table)),
            sorted(str(u["column_names"]) for u in look.get_unique_constraints(table)),
            [(k["name"], k["referred_table"]) for k in look.get_foreign_keys(table)],
        )
        for table in sorted(look.get_table_names())
    }


@pytest.mark.proves("D07")
def test_renames_are_found_and_their_code_keeps_every_value(flask: Path, database_url: str) -> None:
    project = WorkerProject.open(flask)
    with project.reading():
        wanted = project.diff().operations
        found = candidates(wanted, project.columns([(None, "users")]), project.models())
        assert {c.rename for c in found} == set(RENAMES)
        assert not any(c.ambiguous for c in found)
        before = schema(database_url)
        renamed = project.diff(RENAMES).operations
        assert not {"drop_table", "drop_column", "add_column"} & {o.kind for o in renamed}
        made = project.generate("rename", RENAMES)
    text = (flask / made.path).read_text(encoding="utf-8")
    assert "op.rename_table('teams', 'groups')" in text
    assert "new_column_name='email'" in text
    db(flask, "upgrade")
    joined = "SELECT email, user_handle, title FROM users JOIN groups ON groups.id = group_id"
    assert rows(database_url, joined) == [("ann@here", "ann", "red")]
    assert WorkerProject.open(flask).diff().operations == ()
    db(flask, "downgrade")
    joined = "SELECT mail, handle, title FROM users JOIN teams ON teams.id = team_id"
    assert rows(database_url, joined) == [("ann@here", "ann", "red")]
    assert schema(database_url) == before
    db(flask, "upgrade")


@pytest.mark.proves("D07")
def test_what_else_changes_of_a_renamed_column_changes_after_it(
    flask: Path, database_url: str
) -> None:
    write(
        flask, RENAMED.replace("String(50), nullable=False, index=True", "String(80), index=True")
    )
    project = WorkerProject.open(flask)
    made = project.generate("rename and widen", RENAMES)
    db(flask, "upgrade")
    assert rows(database_url, "SELECT email FROM users") == [("ann@here",)]
    columns = {name: (kind, null) for name, kind, null in schema(database_url)["users"][0]}
    assert columns["email"] == ("VARCHAR(80)", True)
    assert project.diff().operations == ()
    assert made.note is None
    db(flask, "downgrade")
    assert rows(database_url, "SELECT mail FROM users") == [("ann@here",)]


@pytest.mark.proves("D07")
def test_a_renamed_table_may_gain_and_lose_columns(flask: Path, database_url: str) -> None:
    changed = RENAMED.replace("colour = db.Column(db.String(20))", "size = db.Column(db.Integer)")
    write(flask, changed)
    project = WorkerProject.open(flask)
    project.generate("rename", RENAMES)
    db(flask, "upgrade")
    assert rows(database_url, "SELECT title, size FROM groups") == [("red", None)]
    assert project.diff().operations == ()
    db(flask, "downgrade")
    assert rows(database_url, "SELECT title, colour FROM teams") == [("red", None)]


def test_a_rename_of_what_is_not_proposed_is_refused(flask: Path) -> None:
    wrong = Rename(kind="column", table="users", old="mail", new="nowhere")
    with pytest.raises(EnvScriptError):
        WorkerProject.open(flask).generate("x", (wrong,))
    assert len(list((flask / "migrations" / "versions").glob("*.py"))) == 1
