"""A project of two revisions that wait, on a real database, and faults at chosen points."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from rulezero_policies.plan import Plan
from rulezero_server import filelocks
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools import asking, graph, planning
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.results import ApplyResult, StatusResult

HERE = Path(__file__).parent
INSIDE = HERE / "inside"

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
import os

engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection{options})
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = '''"""{id}"""
import os
import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {down!r}


def upgrade():
{up}


def downgrade():
{down_code}
'''

FIRST = """
op.create_table("accounts", sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("name", sa.String(20)))
op.create_table("marks", sa.Column("name", sa.String(20)))
op.execute("INSERT INTO accounts (id, name) VALUES (1, 'a'), (2, 'b')")
"""

SECOND = """
op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
op.execute("INSERT INTO marks (name) VALUES ('r2')")
op.add_column("accounts", sa.Column("note", sa.String(20)))
"""

THIRD = """
op.create_index("ix_accounts_name", "accounts", ["name"])
op.execute("INSERT INTO marks (name) VALUES ('r3')")
"""

BACK_2 = 'op.drop_column("accounts", "note")\nop.drop_table("items")'
BACK_3 = 'op.drop_index("ix_accounts_name", "accounts")'

CUT = {
    "postgresql": """
import psycopg
with psycopg.connect(URL, autocommit=True) as c:
    c.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
              " WHERE datname = current_database() AND pid <> pg_backend_pid()")
""",
    "mysql": """
import pymysql
socket, _, name = URL.partition(" ")
with pymysql.connect(unix_socket=socket, user="root") as c:
    cursor = c.cursor()
    cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
    for (number,) in cursor.fetchall():
        cursor.execute(f"KILL {number}")
""",
}


def indented(code: str) -> str:
    return "".join(f"    {line}\n" for line in code.strip().splitlines()) or "    pass\n"


class Clock:
    """The real time, and more."""

    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Known:
    """A project that was read before."""

    seen: Any
    found: Any
    name: str
    environment: str = "development"
    protected: bool = False
    bind: str | None = None

    @contextmanager
    def reading(self) -> Generator[None]:
        yield

    def describe(self) -> Any:
        return self.seen

    def files(self) -> Any:
        return self.found


@dataclass(kw_only=True)
class World:
    """A project, its database, rulezero's state: and whoever looks at them from outside."""

    folder: Path
    url: str
    state: Path
    options: str = ""
    clock: Clock = field(default_factory=Clock)
    again: bool = False
    kept: bytes = b""
    known: Any = None

    def write(self, **code: str) -> None:
        """Write env.py and the revisions; `SECOND` and so on unless other code is given."""
        versions = self.folder / "migrations" / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        (self.folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        env = ENV.format(options=self.options)
        (self.folder / "migrations" / "env.py").write_text(env)
        texts = {"r1": FIRST, "r2": SECOND, "r3": THIRD, **code}
        backs = {"r2": BACK_2, "r3": BACK_3}
        for name, down in (("r1", None), ("r2", "r1"), ("r3", "r2")):
            text = REVISION.format(
                id=name,
                down=down,
                up=indented(texts[name]),
                down_code=indented(backs.get(name, "pass")),
            )
            (versions / f"{name}.py").write_text(text)

    def at_first(self) -> None:
        """Bring the database to r1, as Alembic would."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            context: Any = MigrationContext.configure(connection)
            exec(FIRST, {"op": Operations(context), "sa": sa})
            context._ensure_version_table()
            connection.execute(sa.text("INSERT INTO alembic_version VALUES ('r1')"))
        engine.dispose()

    def app(self) -> App:
        return App(self.folder, store=open_store(self.state / "store.sqlite3"))

    def session(self, app: App | None = None) -> Session:
        return replace((app or self.app()).session(None, client="test"), clock=self.clock)

    def planned(self, to: str = "r3", kind: Any = "upgrade") -> Plan:
        """A plan as `review` makes one, without the judgement, which is tested elsewhere."""
        session = self.session()
        if self.known is not None:
            # The schema is what it was before the last fault: it need not be read again.
            project: Any = Known(*self.known)
            session = replace(session, project=project)
        with session.project.reading():
            seen = session.project.describe()
            waiting = [r.id for r in graph.pending(seen)]
            draft = planning.Draft(
                kind=kind,
                to_revision=to,
                revisions=tuple(waiting),
                description="two revisions",
                path="",
                changes=(),
                findings=(),
                facts=(),
                warnings=(),
                sql=None,
                rollback_command=f"alembic downgrade {graph.at(seen.database.current)}",
            )
            files = session.project.files()
            if self.known is None and self.again:
                self.known = seen, files, session.project.name
            return planning.make_plan(session, seen, draft, files)

    def reset(self) -> None:
        """Make the database what it was when the world was made, and forget no plan."""
        if self.dialect == "sqlite":
            file = Path(sa.make_url(self.url).database or "")
            for left in file.parent.glob(f"{file.name}-*"):
                left.unlink()
            # In place: another file would be another database.
            file.write_bytes(self.kept)
            return
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for table in ("items", "accounts", "marks", "alembic_version"):
                connection.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))
        self.at_first()

    def keep(self) -> None:
        """Remember what the database is, to come back to."""
        self.again = True
        if self.dialect == "sqlite":
            self.kept = Path(sa.make_url(self.url).database or "").read_bytes()

    def locks(self) -> int:
        """Locks that a run holds on this database, asked from outside."""
        if self.dialect == "postgresql":
            query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        elif self.dialect == "mysql":
            query = "SELECT IS_USED_LOCK(CONCAT('rulezero:', DATABASE())) IS NOT NULL"
        else:
            files = [*self.state.glob("locks/*"), *self.state.glob("runs/*/lock")]
            return sum(map(_is_held, files))
        return int(self.rows(query)[0][0])

    def said_yes(self, plan: Plan) -> str:
        session = self.session()
        found, challenge = asking.open_question(session, plan.plan_id, form=True)
        typed = next(iter(plan.phrases), "")
        yes = asking.FormAnswer(action="accept", approve=True, typed=typed)
        token = asking.answer_form(session, found, challenge, yes).token
        assert token is not None
        return token

    def applied(self, plan: Plan, token: str) -> ApplyResult:
        app = self.app()
        session = self.session(app)
        return apply(session, app.runner(session), plan_id=plan.plan_id, token=token)

    def applier(self, plan: Plan, token: str) -> "subprocess.Popen[str]":
        """Another server, in a process of its own, that applies the plan."""
        script, store = str(INSIDE / "applier.py"), f"sqlite:///{self.state / 'store.sqlite3'}"
        command = [sys.executable, script, str(self.folder), store, plan.plan_id, token]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def journal(self, plan: Plan) -> str:
        return (self.state / "runs" / plan.plan_id / "journal").read_text("utf-8")

    def status(self) -> StatusResult:
        app = self.app()
        return app.status(self.session(app), can_ask=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def effects(self) -> dict[str, bool]:
        """What of the two revisions is in the database, looked at from outside."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        look = sa.inspect(engine)
        marks = sorted(row[0] for row in self.rows("SELECT name FROM marks"))
        assert len(marks) == len(set(marks)), "a revision ran twice"
        found = {
            "CREATE TABLE items": look.has_table("items"),
            "INSERT INTO marks (name) VALUES ('r2')": "r2" in marks,
            "ALTER TABLE accounts ADD": "note" in [c["name"] for c in look.get_columns("accounts")],
            "CREATE INDEX ix_accounts_name": "ix_accounts_name"
            in [i["name"] for i in look.get_indexes("accounts")],
            "INSERT INTO marks (name) VALUES ('r3')": "r3" in marks,
        }
        engine.dispose()
        return found

    def version(self) -> str:
        return self.rows("SELECT version_num FROM alembic_version")[0][0]

    def has_journal(self, plan: Plan) -> bool:
        return (self.state / "runs" / plan.plan_id / "journal").exists()

    LATER = timedelta(seconds=30)
    """By then, whatever has not begun never will."""

    def enter(self) -> None:
        """Make this the world that processes are started in."""
        self.clock.ahead = timedelta()
        os.environ["DATABASE_URL"] = self.url
        os.environ["RULEZERO_STATE_DIR"] = str(self.state)

    @property
    def dialect(self) -> str:
        return sa.make_url(self.url).get_backend_name()

    def cutting(self) -> dict[str, str]:
        """What a process needs in its environment to cut the connections to the database."""
        url = sa.make_url(self.url)
        if self.dialect == "postgresql":
            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            return {"FAULT_CUT": CUT["postgresql"], "FAULT_URL": plain}
        if self.dialect == "mysql":
            place = f"{url.query['unix_socket']} {url.database}"
            return {"FAULT_CUT": CUT["mysql"], "FAULT_URL": place}
        return {}


def _is_held(file: Path) -> bool:
    with filelocks.Look(file) as seen:
        return not seen.free


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeWorld]:
    """`make_world(url, options=, **revisions)`: a world whose database is at r1."""

    def make(url: str, *, options: str = "", **code: str) -> World:
        state = tmp_path / "state"
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("RULEZERO_STATE_DIR", str(state))
        world = World(folder=tmp_path / "project", url=url, state=state, options=options)
        world.write(**code)
        world.at_first()
        return world

    yield make
    shutil.rmtree(tmp_path / "state", ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database on each of the three."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'database.sqlite').as_posix()}"
    name = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return request.getfixturevalue(name)


@pytest.fixture(scope="module")
def lasting_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], World]]:
    """`lasting_world(dialect)`: a world for all tests of a module."""
    before = {name: os.environ.get(name) for name in ("DATABASE_URL", "RULEZERO_STATE_DIR")}

    def make(dialect: str) -> World:
        top = tmp_path_factory.mktemp(dialect)
        world = World(folder=top / "project", url=_url(request, dialect, top), state=top / "state")
        world.enter()
        world.write()
        world.at_first()
        return world

    yield make
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _url(request: pytest.FixtureRequest, dialect: str, top: Path) -> str:
    name = f"f_{uuid.uuid4().hex}"
    if dialect == "sqlite":
        return f"sqlite:///{(top / 'database.sqlite').as_posix()}"
    if dialect == "postgresql":
        server: str = request.getfixturevalue("postgres")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        at = server.replace("/postgres?", f"/{name}?", 1)
        return at.replace("postgresql://", "postgresql+psycopg://", 1)
    socket = request.getfixturevalue("mariadb")
    with pymysql.connect(unix_socket=str(socket), user="root") as connection:
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={socket}"


@pytest.fixture
def world(make_world: MakeWorld, any_url: str) -> World:
    return make_world(any_url)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`fault("fsync:3:after:kill", within="--run", **more)`: what the next such process does."""

    def set_up(what: str, *, within: str = "--run", **more: str) -> None:
        path = os.pathsep.join([str(INSIDE), *filter(None, [os.environ.get("PYTHONPATH")])])
        monkeypatch.setenv("PYTHONPATH", path)
        for name, value in {"FAULT": what, "FAULT_IN": within, **more}.items():
            monkeypatch.setenv(name, value)

    return set_up


@dataclass
class Hold:
    """A FIFO at which a process stops until it is let go."""

    path: Path

    def reached(self) -> None:
        """Wait until a process stands there."""
        self._file = self.path.open("wb")

    def let_go(self) -> None:
        self._file.close()


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no FIFOs here")
    path = tmp_path / "hold"
    os.mkfifo(path)
    return Hold(path)
