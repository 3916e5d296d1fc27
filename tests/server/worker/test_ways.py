"""Where a way leads is what Alembic does, on histories of any shape."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st

from rulezero_server.worker import errors, load, ways

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = """
revision = {id!r}
down_revision = {down!r}
depends_on = {depends!r}


def upgrade():
    pass


def downgrade():
    pass
"""

Parents = tuple[tuple[str, ...], tuple[str, ...]]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Parents]:
    """Revisions with what they follow (several: a merge; none: a base) and what they depend on."""
    found: dict[str, Parents] = {}
    for number in range(draw(st.integers(2, 7))):
        known = sorted(found)
        down = draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else []
        rest = [name for name in known if name not in down]
        depends = draw(st.lists(st.sampled_from(rest), max_size=1)) if rest else []
        found[f"r{number}"] = (tuple(down), tuple(depends))
    return found


class World:
    """A project of such a history, and a database that Alembic itself moves."""

    def __init__(self, folder: Path, history: dict[str, Parents]) -> None:
        self.url = f"sqlite:///{(folder / 'db.sqlite').as_posix()}"
        files = {
            f"{name}.py": REVISION.format(id=name, down=down or None, depends=depends or None)
            for name, (down, depends) in history.items()
        }
        self.loaded = _project(folder, self.url, files)

    def heads(self) -> list[str]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return []
            rows = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
            return sorted(row[0] for row in rows)

    def go(self, direction: str, to: str) -> list[str] | None:
        """Where Alembic's own command ends; None where it refuses."""
        try:
            getattr(command, direction)(self.loaded.config, to)
        except Exception:  # noqa: BLE001 - whatever it refuses with
            return None
        return self.heads()

    def route(self, direction: str, to: str) -> Any:
        try:
            args = {"direction": direction, "start": self.heads(), "to": to}
            return ways.route(self.loaded, args)
        except errors.Failure:
            return None


@settings(max_examples=20)
@given(history=histories(), data=st.data())
def test_a_way_ends_where_alembic_ends_and_its_way_back_leads_back(
    history: dict[str, Parents], data: st.DataObject
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="rz-ways-"))
    try:
        world = World(folder, history)
        for _ in range(4):
            direction = data.draw(st.sampled_from(["upgrade", "upgrade", "downgrade"]))
            ends = sorted(history) if direction == "upgrade" else ["base", *sorted(history)]
            to = data.draw(st.sampled_from(ends))
            start, told = world.heads(), world.route(direction, to)
            found = world.go(direction, to)
            assert found == (None if told is None else told["heads"])
            if told and told["revisions"] and told["back"] and data.draw(st.booleans()):
                other = "downgrade" if direction == "upgrade" else "upgrade"
                assert world.go(other, told["back"]) == start
    finally:
        shutil.rmtree(folder)


def _project(folder: Path, url: str, files: dict[str, str]) -> Any:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text(ENV, encoding="utf-8")
    for name, text in files.items():
        (versions / name).write_text(text, encoding="utf-8")
    config = Config()
    config.set_main_option("script_location", (folder / "migrations").as_posix())
    config.set_main_option("sqlalchemy.url", url)
    ground = errors.Ground(root=str(folder.resolve()))
    return load.Loaded("alembic", ground, config, ScriptDirectory.from_config(config))
