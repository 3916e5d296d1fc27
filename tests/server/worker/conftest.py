"""A project of one revision, made up for a test, and the worker's own way to load it."""

import builtins
import io
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import pyfiles

from rulezero_server.worker import errors, load

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.get_main_option("sqlalchemy.url")


def online():
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()


def offline():
    context.configure(url=url, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


OPTIONS = dict(target_metadata=None)
if context.is_offline_mode():
    offline()
else:
    online()
"""

REVISION = '''
"""{message}"""
import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
'''

Revision = Callable[..., Any]
Source = Callable[..., str]


@pytest.fixture
def source() -> Source:
    """`source(upgrade, downgrade, revision=, down=)`: the text of a revision file."""

    def text(
        upgrade: str,
        downgrade: str = "pass",
        *,
        revision: str = "a1",
        down: str | None = None,
    ) -> str:
        bodies = {
            name: textwrap.indent(textwrap.dedent(body).strip(), "    ")
            for name, body in (("upgrade", upgrade), ("downgrade", downgrade))
        }
        return REVISION.format(
            id=revision, down=down, message=f"revision {revision}", **bodies
        ).lstrip()

    return text


@pytest.fixture
def project(tmp_path: Path) -> Revision:
    """`project(url, {name: text}, env=)`: a loaded alembic project of these revision files."""

    def make(url: str, files: dict[str, str], *, env: str = ENV) -> load.Loaded:
        folder = tmp_path / "project"
        (folder / "migrations" / "versions").mkdir(parents=True, exist_ok=True)
        (folder / "migrations" / "env.py").write_text(env, encoding="utf-8")
        for name, text in files.items():
            path = folder / "migrations" / "versions" / name
            path.write_text(text, encoding="utf-8")
        return loaded(folder, url)

    return make


def loaded(folder: Path, url: str) -> load.Loaded:
    config = Config()
    config.set_main_option("script_location", (folder / "migrations").as_posix())
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    ground = errors.Ground(root=str(folder.resolve()))
    return load.Loaded("alembic", ground, config, ScriptDirectory.from_config(config))


@pytest.fixture
def reload() -> Callable[[Any], Any]:
    """`reload(loaded)`: the same project, its revision files read again."""

    def again(old: load.Loaded) -> load.Loaded:
        return loaded(Path(old.root), str(old.config.get_main_option("sqlalchemy.url")))

    return again


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite database with a table `notes` of three rows, one body of them NULL."""
    url = f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"
    fill(url)
    return url


@pytest.fixture
def filled_url(database_url: str) -> str:
    """The same on SQLite and on PostgreSQL."""
    fill(database_url)
    return database_url


def fill(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"))
        values = "INSERT INTO notes (id, body) VALUES (1, 'a'), (2, NULL), (3, 'c')"
        connection.execute(sa.text(values))
    engine.dispose()


@pytest.fixture
def looks() -> Callable[[str], Any]:
    """`looks(url)`: every table of a database with its columns and rows."""

    def look(url: str) -> dict[str, Any]:
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                inspector = sa.inspect(connection)
                return {
                    table: (
                        [c["name"] for c in inspector.get_columns(table)],
                        [tuple(r) for r in connection.execute(sa.text(f"SELECT * FROM {table}"))],
                    )
                    for table in sorted(inspector.get_table_names())
                }
        finally:
            engine.dispose()

    return look


@pytest.fixture
def unsealed() -> Iterator[None]:
    """Takes back what sealing changes in this process."""
    loader: Any = pyfiles
    kept = loader.load_module_py, list(sys.meta_path), builtins.open, io.open
    yield
    loader.load_module_py, sys.meta_path[:], builtins.open, io.open = kept
