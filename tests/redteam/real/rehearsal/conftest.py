"""A project whose one revision waits, and its rehearsal: on the target's own server at that."""

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from rulezero_policies.rehearsal import NotRehearsed, Rehearsed
from rulezero_server.project import WorkerProject
from rulezero_server.rehearser import WorkerRehearser
from rulezero_server.shadows.wishes import Wishes

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = '''
"""what waits"""
import os
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from alembic import op

revision = "a1"
down_revision = None


def attempt(what, *args, **kwargs):
    """Whatever comes of it, the next thing is tried."""
    try:
        return what(*args, **kwargs)
    except Exception as error:
        return error


def tries(*statements):
    bind = op.get_bind()
    for number, statement in enumerate(statements):
        # MariaDB commits before it looks at a statement that changes the schema.
        point = bind.begin_nested() if bind.dialect.name == "postgresql" else None
        failed = isinstance(attempt(bind.exec_driver_sql, statement), Exception)
        if point is not None:
            point.rollback() if failed else point.commit()
        op.execute(f"INSERT INTO told VALUES ({number}, {failed})")


def upgrade():
    op.create_table("told", sa.Column("n", sa.Integer), sa.Column("failed", sa.Boolean))
CODE

def downgrade():
    op.drop_table("told")
'''


@dataclass(kw_only=True)
class Scene:
    """The target, its project, and what a rehearsal saw."""

    folder: Path
    url: str
    held: sa.Connection

    def content(self) -> object:
        """The target's tables and rows, what its server holds, and whether a session lives."""
        with self._engine().connect() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            rows = {
                name: sorted(map(str, connection.execute(sa.select(table))))
                for name, table in tables.tables.items()
            }
            asked = SERVERS.get(connection.dialect.name, ())
            around = [sorted(map(str, connection.execute(sa.text(q)))) for q in asked]
        return rows, around, self.held.exec_driver_sql("SELECT 1").scalar()

    def rehearsed(self, code: str) -> Rehearsed:
        """What is seen when `code` is what the revision does."""
        body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
        revision = self.folder / "migrations" / "versions" / "a1.py"
        revision.write_text(REVISION.replace("CODE", body).lstrip(), "utf-8")
        project = WorkerProject.open(self.folder)
        rehearser = WorkerRehearser(project, Wishes(where="server"), marked=False)
        with project.reading():
            seen = project.describe()
            saw = rehearser.rehearse(
                direction="upgrade",
                start=seen.database.current,
                to="a1",
                identity=seen.database.identity,
                files=project.files(),
            )
        assert not isinstance(saw, NotRehearsed), saw
        return saw.saw

    def _engine(self) -> sa.Engine:
        return sa.create_engine(self.url, poolclass=sa.NullPool)


SERVERS = {
    "postgresql": (
        "SELECT datname FROM pg_database WHERE datname NOT LIKE 'rulezero%'",
        "SELECT rolname, rolsuper FROM pg_roles WHERE rolname NOT LIKE 'rulezero%'",
    ),
    "mysql": (
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'rule%'",
        "SELECT user, host FROM mysql.user WHERE user NOT LIKE 'rulezero%'",
    ),
}


def _close(held: sa.Connection) -> None:
    """Its database may be gone by now."""
    with contextlib.suppress(DBAPIError):
        held.close()


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Scene]]:
    """`scene(dialect)`: a target of that kind with three rows, and a project for it."""
    with contextlib.ExitStack() as stack:

        def make(dialect: str) -> Scene:
            names = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
            file = tmp_path / "target.sqlite"
            url = (
                f"sqlite:///{file.as_posix()}"
                if dialect == "sqlite"
                else request.getfixturevalue(names[dialect])
            )
            monkeypatch.setenv("DATABASE_URL", url)
            engine = sa.create_engine(url, poolclass=sa.NullPool)
            with engine.begin() as connection:
                for statement in (
                    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(20))",
                    "INSERT INTO notes VALUES (1, 'one'), (2, NULL), (3, 'three')",
                ):
                    connection.exec_driver_sql(statement)
            folder = tmp_path / "project"
            (folder / "migrations" / "versions").mkdir(parents=True)
            (folder / "alembic.ini").write_text(
                "[alembic]\nscript_location = migrations\n", "utf-8"
            )
            (folder / "migrations" / "env.py").write_text(ENV, "utf-8")
            held = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            held.exec_driver_sql("SELECT 1")
            stack.callback(_close, held)
            return Scene(folder=folder, url=url, held=held)

        yield make
