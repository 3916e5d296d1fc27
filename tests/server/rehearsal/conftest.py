"""A project of one revision on a database as a test wants it, rehearsed by the use case itself."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa

from rulezero_policies.findings import Finding
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools.results import ReviewResult, RollbackResult
from rulezero_tools.review import review
from rulezero_tools.rollback import rollback

ENV = """\
import os

import sqlalchemy as sa
from alembic import context
{imports}

engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.NullPool)
{setup}

if context.is_offline_mode():
    url = os.environ["DATABASE_URL"]
    context.configure(url=url, target_metadata={metadata}, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata={metadata})
        with context.begin_transaction():
            context.run_migrations()
"""

KEYS_ON = """\
@sa.event.listens_for(engine, "connect")
def _on(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
"""

REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
"""


@dataclass
class Trying:
    """What a test sets up, and the reviews of it."""

    folder: Path
    url: str
    imports: str = ""
    setup: str = ""
    metadata: str = "None"
    names: list[str] = field(default_factory=list[str])

    @property
    def dialect(self) -> str:
        """The database."""
        return sa.make_url(self.url).get_backend_name()

    def database(self, *statements: str) -> None:
        """Make the database as it is before; at the revision "start"."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
            )
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('start')")
        self.revision("start", "pass", "pass")

    def revision(self, name: str, upgrade: str, downgrade: str) -> None:
        """One more revision, on top of the last one."""
        versions = self.folder / "migrations" / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        down = self.names[-1] if self.names else None
        text = REVISION.format(
            name=name, down=down, upgrade=_body(upgrade), downgrade=_body(downgrade)
        )
        (versions / f"{name}.py").write_text(text)
        self.names.append(name)

    def _app(self) -> App:
        env = ENV.format(imports=self.imports, setup=self.setup, metadata=self.metadata)
        (self.folder / "migrations" / "env.py").write_text(env)
        ini = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
        (self.folder / "alembic.ini").write_text(ini)
        return App(self.folder, store=open_store(f"sqlite:///{self.folder / 'state.db'}"))

    def review(self, *, revision: str | None = None) -> ReviewResult:
        """Review what waits, the rehearsal included."""
        return review(self._app().session(None, client="test"), revision=revision)

    def rollback(self) -> RollbackResult:
        """Plan to undo the last revision."""
        return rollback(self._app().session(None, client="test"))

    def stamp(self, name: str, *statements: str) -> None:
        """Make as if `name` had been applied."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{name}'")


def _body(code: str) -> str:
    return textwrap.indent(textwrap.dedent(code).strip(), "    ")


Databases = Literal["sqlite", "postgresql", "mysql"]


@pytest.fixture
def on(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    empty_store: bytes,
) -> Callable[[str], Trying]:
    """`on("postgresql")`: a project on an empty database of that kind."""

    def make(kind: str) -> Trying:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "state.db").write_bytes(empty_store)
        urls = {
            "sqlite": lambda: f"sqlite:///{(folder / 'app.db').as_posix()}",
            "postgresql": lambda: request.getfixturevalue("postgres_url"),
            "mysql": lambda: request.getfixturevalue("mariadb_url"),
        }
        url = urls[kind]()
        monkeypatch.setenv("DATABASE_URL", url)
        return Trying(folder=folder, url=url)

    return make


@pytest.fixture
def found() -> Callable[[Sequence[Finding], str], Finding]:
    """`found(findings, rule)`: the one finding of this rule."""

    def one(findings: Sequence[Finding], rule: str) -> Finding:
        mine = [f for f in findings if f.rule == rule]
        assert len(mine) == 1, [f"{f.rule}: {f.evidence}" for f in findings]
        return mine[0]

    return one
