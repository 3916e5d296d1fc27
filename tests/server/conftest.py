"""What the tests of the worker and its parent share."""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from rulezero_server.project import WorkerProject

Snapshot = Callable[[str], object]
Edit = Callable[..., None]
Flask = Callable[..., WorkerProject]


@pytest.fixture
def snapshot() -> Snapshot:
    """`snapshot(url)`: everything in a database, schema and rows, and an SQLite file's hash."""

    def take(url: str) -> object:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        file = Path(engine.url.database or "")
        if engine.dialect.name == "sqlite":
            if not file.exists():
                return "no file"
            return hashlib.sha256(file.read_bytes()).hexdigest()
        with engine.connect() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            rows = {
                name: sorted(str(row) for row in connection.execute(sa.select(table)))
                for name, table in tables.tables.items()
            }
            columns = [str(sa.inspect(connection).get_columns(name)) for name in tables.tables]
        return rows, columns

    return take


@pytest.fixture
def edit() -> Edit:
    """`edit(file, old, new)`: replace a piece of a file that must be there."""

    def replace(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def notes(
    copy_project: Callable[[str], Path],
    to_head: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
) -> Path:
    """The Flask-Migrate sample, its database at head, on SQLite and on PostgreSQL."""
    folder = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", database_url)
    to_head(folder)
    return folder


@pytest.fixture
def run_in() -> Callable[..., None]:
    """`run_in(folder, module, *arguments)`: run a command of the project in its own folder."""

    def run(folder: Path, module: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env={**os.environ, "FLASK_APP": "notes:create_app", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has no package at all."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    layouts = ("bin/python", "Scripts/python.exe")
    return next(folder / layout for layout in layouts if (folder / layout).exists())
