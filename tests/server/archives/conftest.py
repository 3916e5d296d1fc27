"""Small Alembic projects whose models lose something, on every database."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

ENV = """
import os
import runpy

from sqlalchemy import NullPool, create_engine

from alembic import context

models = runpy.run_path(os.path.join(os.path.dirname(__file__), "..", "models.py"))
engine = create_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=models["metadata"],
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
"""

INI = "[alembic]\nscript_location = %(here)s/migrations\n"

MAKO = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


class Place:
    """One project and its database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def models(self, text: str) -> dict[str, Any]:
        """Write the models and give what they define."""
        text = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n" + textwrap.dedent(text)
        (self.folder / "models.py").write_text(text, encoding="utf-8")
        names: dict[str, Any] = {}
        exec(text, names)
        return names

    def begin(self, text: str) -> dict[str, Any]:
        """The models, and a database that is as they say."""
        found = self.models(text)
        found["metadata"].create_all(self.engine)
        return found

    def upgrade(self) -> None:
        command.upgrade(self._config(), "head")

    def downgrade(self) -> None:
        command.downgrade(self._config(), "-1")

    def _config(self) -> Config:
        return Config(str(self.folder / "alembic.ini"))

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def read(self, table: sa.Table) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(table).order_by(*table.primary_key))
            return [tuple(row) for row in rows]

    def tables(self) -> list[str]:
        return sorted(sa.inspect(self.engine).get_table_names())

    def archives(self) -> list[str]:
        return [name for name in self.tables() if name.startswith("rulezero_archive_")]

    def shape(self, table: str) -> Any:
        """Columns, indexes and constraints, as the database has them."""
        look = sa.inspect(self.engine)
        return (
            sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c["default"]))
                for c in look.get_columns(table)
            ),
            sorted((str(i["name"]), str(i["column_names"])) for i in look.get_indexes(table)),
            sorted(str(u["column_names"]) for u in look.get_unique_constraints(table)),
            sorted(
                (str(k["name"]), k["referred_table"], str(k.get("options")))
                for k in look.get_foreign_keys(table)
            ),
            look.get_pk_constraint(table)["constrained_columns"],
        )


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of every kind that archives are written for."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'database.sqlite').as_posix()}"
    kind = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return request.getfixturevalue(kind)


@pytest.fixture
def place_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Place]:
    """A project without revisions on the database of that address."""

    def make(url: str) -> Place:
        folder = tmp_path / "project"
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "alembic.ini").write_text(INI, encoding="utf-8")
        (folder / "migrations" / "env.py").write_text(ENV, encoding="utf-8")
        (folder / "migrations" / "script.py.mako").write_text(MAKO, encoding="utf-8")
        monkeypatch.setenv("DATABASE_URL", url)
        return Place(folder, url)

    return make


@pytest.fixture
def place(place_at: Callable[[str], Place], database_url: str) -> Place:
    """The same on each database."""
    return place_at(database_url)
