"""What waits, tried twice on a shadow of production, and old rows read there; really."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from rulezero_policies.parity.safety import Safety
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools.parity.safety import safety

pytestmark = pytest.mark.proves("B11")

CANARY = "canary-9e02bd"

ENV = """\
import os

import sqlalchemy as sa
from alembic import context
from models import Base

engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.NullPool)
with engine.connect() as connection:
    {before}
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""

MODELS = """\
import enum

import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Note(Base):
    __tablename__ = "notes"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String(80), nullable=False)
    state = sa.Column({state})
    body = sa.Column(sa.Text)
"""

KINDS = 'sa.Enum("open", "done", native_enum=False, length=9)'

REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
    raise NotImplementedError
"""

FIRST = """\
op.create_table(
    "notes",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
    sa.Column("state", sa.String(9)),
)
"""

ADD_BODY = 'op.add_column("notes", sa.Column("body", sa.Text()))'


@dataclass
class Sample:
    """A project at its first revision, with one that waits, and rows."""

    folder: Path
    url: str
    revisions: list[str] = field(default_factory=list[str])

    def writes(self, *, before: str = "pass", state: str = "sa.String(9)") -> None:
        """Its env.py and its models."""
        (self.folder / "migrations" / "env.py").write_text(ENV.format(before=before))
        (self.folder / "models.py").write_text(MODELS.format(state=state))

    def revision(self, name: str, upgrade: str) -> None:
        """One more revision, on top of the last one."""
        down = self.revisions[-1] if self.revisions else None
        body = textwrap.indent(textwrap.dedent(upgrade).strip(), "    ")
        text = REVISION.format(name=name, down=down, upgrade=body)
        (self.folder / "migrations" / "versions" / f"{name}.py").write_text(text)
        self.revisions.append(name)

    def upgrade(self, to: str) -> None:
        """By Alembic's own command."""
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", to],
            cwd=self.folder,
            env={**os.environ, "DATABASE_URL": self.url, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def sends(self, *statements: str) -> None:
        """What stands in the database besides."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def safety(self) -> Safety:
        """What the shadow shows."""
        app = App(self.folder, store=open_store(self.folder / "state.db"))
        (found,) = safety(app.session(None, client="test"))
        assert CANARY not in repr(found)
        return found


def states(found: Safety) -> dict[str, str]:
    return {check.name: check.state for check in found.checks}


def text(found: Safety, name: str) -> str:
    return next(check.text for check in found.checks if check.name == name)


@pytest.fixture
def sample(
    tmp_path: Path, database_url: str, empty_store: bytes, monkeypatch: pytest.MonkeyPatch
) -> Sample:
    """One row at the first revision, on SQLite and on PostgreSQL."""
    folder = tmp_path / "project"
    (folder / "migrations" / "versions").mkdir(parents=True)
    ini = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
    (folder / "alembic.ini").write_text(ini)
    (folder / "state.db").write_bytes(empty_store)
    monkeypatch.setenv("DATABASE_URL", database_url)
    made = Sample(folder=folder, url=database_url)
    made.writes()
    made.revision("r1", FIRST)
    made.upgrade("r1")
    made.sends(f"INSERT INTO notes (id, title, state) VALUES (1, '{CANARY}', 'open')")
    return made


@pytest.mark.proves("B10")
def test_a_migration_that_runs_once_and_leaves_old_rows_readable_is_safe(
    sample: Sample, snapshot: Callable[[str], object]
) -> None:
    sample.revision("r2", ADD_BODY)
    before = snapshot(sample.url)

    found = sample.safety()

    assert snapshot(sample.url) == before
    assert set(states(found).values()) == {"ok"}
    assert (found.reasons, found.unknown) == ((), ())
    assert [(r.name, r.table, r.rows, r.error) for r in found.readback] == [
        ("Note", "notes", 1, None)
    ]
    assert text(found, "migration runs").startswith("r2 went through on ")


@pytest.mark.proves("B10")
def test_old_rows_that_the_models_no_longer_read_are_told_by_class_and_column(
    sample: Sample,
) -> None:
    sample.revision("r2", ADD_BODY)
    sample.writes(state=KINDS)
    sample.sends(f"UPDATE notes SET state = '{CANARY[:9]}'")

    found = sample.safety()

    assert states(found)["old data reads"] == "failed"
    assert found.reasons == (
        "old data reads: Note cannot read its old rows (LookupError at notes.state)",
    )
    assert CANARY[:9] not in repr(found)


def test_a_migration_that_fails_on_productions_rows_is_told_with_its_place(
    sample: Sample,
) -> None:
    sample.sends(f"INSERT INTO notes (id, title) VALUES (2, '{CANARY}')")
    sample.revision("r2", f'{ADD_BODY}\nop.create_index("u", "notes", ["title"], unique=True)')

    found = sample.safety()

    assert states(found) == {
        "existing database opens": "ok",
        "migration runs": "failed",
        "second run changes nothing": "unknown",
        "old data reads": "unknown",
    }
    assert "migrations/versions/r2.py, line 10" in found.reasons[0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_every_upgrade_does_again_is_no_migration_that_runs_once(sample: Sample) -> None:
    sample.revision("r2", ADD_BODY)
    # It guards itself against being merely read, and adds a row with every upgrade.
    sample.writes(
        before="""\
if "upgrade" in __import__("sys").argv:
        connection.execute(sa.text("UPDATE notes SET title = title || '+'"))
        connection.commit()"""
    )

    found = sample.safety()

    assert states(found)["second run changes nothing"] == "failed"
    assert "second run" in found.reasons[0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_known_of_old_rows_where_none_may_be_copied(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.revision("r2", ADD_BODY)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.toml").write_text('[rehearsal]\nreal_rows = "never"\n')
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(tmp_path / "policy"))

    found = sample.safety()

    assert (states(found)["migration runs"], states(found)["old data reads"]) == ("ok", "unknown")
    assert "made up" in found.unknown[0]
    assert found.reasons == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_damaged_or_no_database_is_a_reason(sample: Sample) -> None:
    file = Path(sa.make_url(sample.url).database or "")
    file.write_bytes(b"no database at all" * 100)

    found = sample.safety()

    assert states(found)["existing database opens"] == "failed"
    assert len(found.unknown) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rows_that_refer_to_nothing_are_noted_and_fail_nothing(sample: Sample) -> None:
    file = sa.make_url(sample.url).database or ""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE tags (note INTEGER REFERENCES notes (id))")
        connection.execute("INSERT INTO tags VALUES (9)")
    connection.close()
    sample.revision("r2", ADD_BODY)

    found = sample.safety()

    assert found.reasons == ()
    assert found.notes == ("1 row of tags refer to rows of notes that are not there",)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_at_a_revision_that_no_file_has_is_not_tried(sample: Sample) -> None:
    sample.sends("UPDATE alembic_version SET version_num = 'lost'")

    found = sample.safety()

    assert found.reasons == ()
    assert "lost, which no revision file has" in found.unknown[0]
    assert len(found.unknown) == 4
