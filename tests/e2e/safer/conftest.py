"""A project of one table, whose models a test changes, and a person who attests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from mcp_types import ElicitResult

ENV = """\
import os

import sqlalchemy as sa
from alembic import context
from models import metadata

engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.NullPool)

if context.is_offline_mode():
    context.configure(url=os.environ["DATABASE_URL"], target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()
"""

MAKO = '''\
"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''

MODELS = """\
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("orders", metadata, {columns})
"""


class Shop:
    """The project and its database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        versions = folder / "migrations" / "versions"
        versions.mkdir(parents=True)
        (folder / "migrations" / "env.py").write_text(ENV)
        (folder / "migrations" / "script.py.mako").write_text(MAKO)
        ini = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
        (folder / "alembic.ini").write_text(ini)
        start = 'revision = "start"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n'
        (versions / "start.py").write_text(start + "\n\ndef downgrade():\n    pass\n")

    def database(self, *statements: str) -> None:
        """Make it as it is before, at the revision "start"."""
        version = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        self.run(*statements, version, "INSERT INTO alembic_version VALUES ('start')")

    def models(self, columns: str) -> None:
        """What is wanted of the one table."""
        (self.folder / "models.py").write_text(MODELS.format(columns=columns))

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


def attests(fields: Mapping[str, Any]) -> ElicitResult:
    """Says yes, and types whatever words are asked for."""
    content: dict[str, Any] = {}
    for name, spec in fields.items():
        asked = spec["type"] == "boolean"
        content[name] = True if asked else spec["description"].partition("type: ")[2]
    return ElicitResult(action="accept", content=content)


@pytest.fixture
def yes() -> Any:
    return attests


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    names = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    sqlite = f"sqlite:///{(tmp_path / 'shop.sqlite').as_posix()}"
    url = request.getfixturevalue(names[request.param]) if request.param in names else sqlite
    monkeypatch.setenv("DATABASE_URL", url)
    return Shop(tmp_path / "shop", url)
