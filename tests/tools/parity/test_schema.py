"""Production's live schema against models, revisions and environments, on real databases."""

import os
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from rulezero_policies.parity.schema import SchemaGap
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools.parity.schema import schema_gap

pytestmark = pytest.mark.proves("B03")

CANARY = "canary-51d7c0"

ENV = """\
import os

import sqlalchemy as sa
from alembic import context
from models import Base

engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""

MODELS = """\
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Note(Base):
    __tablename__ = "notes"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String(80), nullable=False)
"""

BODY = "    body = sa.Column(sa.Text)\n"

REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
    pass
"""

FIRST = """\
op.create_table(
    "notes",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
)
"""

ADD_BODY = 'op.add_column("notes", sa.Column("body", sa.Text()))'


@dataclass
class Sample:
    """A project with two environments, and what a test makes of it."""

    folder: Path
    urls: dict[str, str]
    revisions: list[str] = field(default_factory=list[str])

    def configure(self) -> None:
        """Say in the project's own file where the databases are."""
        lines = (
            f"[environments.{name}]\nenv = {{ DATABASE_URL = {url!r} }}\n"
            for name, url in self.urls.items()
        )
        (self.folder / "rulezero.toml").write_text("".join(lines))

    def models(self, *more: str) -> None:
        """The models: notes, with these lines more."""
        (self.folder / "models.py").write_text(MODELS + "".join(more))

    def revision(self, name: str, upgrade: str) -> None:
        """One more revision, on top of the last one."""
        down = self.revisions[-1] if self.revisions else None
        body = textwrap.indent(textwrap.dedent(upgrade).strip(), "    ")
        text = REVISION.format(name=name, down=down, upgrade=body)
        (self.folder / "migrations" / "versions" / f"{name}.py").write_text(text)
        self.revisions.append(name)

    def upgrade(self, environment: str, to: str) -> None:
        """Bring an environment's database to a revision, by Alembic's own command."""
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", to],
            cwd=self.folder,
            env={**os.environ, "DATABASE_URL": self.urls[environment], "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def sends(self, environment: str, *statements: str) -> None:
        """What somebody does by hand."""
        engine = sa.create_engine(self.urls[environment], poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def gap(self, *others: str) -> SchemaGap:
        """Production held against the models, and against these."""
        app = App(self.folder, store=open_store(self.folder / "state.db"))
        found = schema_gap(lambda e: app.session(e, client="test"), "production", others)
        assert CANARY not in repr(found)
        return found


@pytest.fixture
def snapshot() -> Callable[[str], object]:
    """`snapshot(url)`: all rows and columns of a database, and an SQLite file's bytes."""

    def take(url: str) -> object:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        if engine.dialect.name == "sqlite":
            return Path(engine.url.database or "").read_bytes()
        with engine.connect() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            rows = [sorted(map(str, connection.execute(t.select()))) for t in tables.sorted_tables]
            return rows, [str(sa.inspect(connection).get_columns(n)) for n in tables.tables]

    return take


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two empty databases of one kind; of MariaDB one."""
    if request.param == "sqlite":
        names = ("production", "staging")
        yield {n: f"sqlite:///{(tmp_path / f'{n}.sqlite').as_posix()}" for n in names}
        return
    if request.param == "mariadb":
        url = request.getfixturevalue("mariadb_url")
        yield {"production": url}
        return
    url, server = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres")
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    first = sa.make_url(url).database or ""
    yield {"production": url, "staging": url.replace(f"/{first}?", f"/{name}?", 1)}
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def sample(tmp_path: Path, urls: dict[str, str], empty_store: bytes) -> Sample:
    """Production and staging, on SQLite and on PostgreSQL, with one revision for both."""
    folder = tmp_path / "project"
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text(ENV)
    ini = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
    (folder / "alembic.ini").write_text(ini)
    (folder / "state.db").write_bytes(empty_store)
    made = Sample(folder=folder, urls=urls)
    made.configure()
    made.models()
    made.revision("r1", FIRST)
    return made


def test_what_production_lacks_is_told_with_the_revision_that_brings_it_or_that_none_does(
    sample: Sample, snapshot: Callable[[str], object]
) -> None:
    sample.upgrade("production", "r1")
    sample.models(BODY, "    tags = sa.Column(sa.String(9), nullable=False)\n")
    sample.revision("r2", ADD_BODY)
    sample.upgrade("staging", "r2")
    sample.sends(
        "production",
        "ALTER TABLE notes ADD COLUMN legacy VARCHAR(20)",
        f"INSERT INTO notes (id, title, legacy) VALUES (1, '{CANARY}', '{CANARY}')",
        "CREATE TABLE scratch (id INTEGER PRIMARY KEY)",
    )
    before = snapshot(sample.urls["production"])

    found = sample.gap("staging")

    assert snapshot(sample.urls["production"]) == before
    (gap,) = found.databases
    assert (gap.current, gap.pending) == (("r1",), ("r2",))
    assert [(m.place, m.brought, m.revision, bool(m.safe_form)) for m in found.missing] == [
        ("notes.body", "waiting", "r2", False),
        ("notes.tags", "none", None, True),
    ]
    assert [(e.subject, e.made, e.goes) for e in found.extra] == [
        ("scratch", "by hand", False),
        ("column notes.legacy", "by hand", False),
    ]
    assert [o.kind for o in gap.operations] == ["add_column", "add_column"]
    assert (len(gap.changes), gap.structural) == (2, ())
    assert (gap.risk, [f.rule for f in gap.findings]) == ("CRITICAL", ["not-null-without-default"])
    assert {(d.what, d.kind, d.name) for d in found.drift} == {
        ("added", "column", "legacy"),
        ("added", "table", "scratch"),
    }
    (against,) = found.against
    assert against.current == ("r2",)
    assert [d.text for d in against.differences if d.what == "missing"] == [
        "column notes.body: staging has it, production has not"
    ]
    assert found.reasons[0] == "production: waiting to be applied: r2"
    assert "no revision brings it" in found.reasons[2]
    assert "set NOT NULL in a later revision" in found.reasons[2]
    assert (len(found.reasons), found.unknown) == (3, ())
    assert "`generate`" in found.next_step
    assert "drop" not in " ".join((*found.reasons, *found.notes, found.next_step))


def test_a_schema_as_models_and_revisions_have_it_gives_no_reason(sample: Sample) -> None:
    sample.models(BODY)
    sample.revision("r2", ADD_BODY + '\nop.create_index("ix_t", "notes", ["title"])')
    sample.models(BODY, '    __table_args__ = (sa.Index("ix_t", "title"),)\n')
    for environment in ("production", "staging"):
        sample.upgrade(environment, "head")

    found = sample.gap("staging")

    assert (found.reasons, found.unknown, found.notes, found.next_step) == ((), (), (), "")
    assert (found.missing, found.extra, found.drift) == ((), (), ())
    assert found.against[0].differences == ()


def test_what_was_taken_away_or_made_otherwise_by_hand_is_drift_and_a_reason(
    sample: Sample,
) -> None:
    sample.revision("r2", ADD_BODY + '\nop.create_index("ix_t", "notes", ["title"])')
    sample.models(BODY)
    sample.upgrade("production", "head")
    sample.sends("production", "DROP INDEX ix_t", "ALTER TABLE notes DROP COLUMN body")

    found = sample.gap()

    assert [(m.place, m.brought) for m in found.missing] == [("notes.body", "applied")]
    assert {(d.what, d.name) for d in found.drift} == {("missing", "ix_t"), ("missing", "body")}
    assert found.reasons == (
        "production: the column notes.body is missing; an applied revision made it, and it is gone",
        "production: index ix_t on notes: the applied revisions make it, and the database has none",
    )


@pytest.mark.parametrize("urls", ["mariadb"], indirect=True)
def test_mariadb_is_compared_as_the_others_are(sample: Sample) -> None:
    sample.revision("r2", ADD_BODY + '\nop.create_index("ix_t", "notes", ["title"])')
    sample.upgrade("production", "head")
    sample.models(BODY, '    __table_args__ = (sa.Index("ix_t", "title"),)\n')
    assert sample.gap().reasons == ()
    sample.sends("production", "ALTER TABLE notes DROP INDEX ix_t, ADD COLUMN legacy INT NOT NULL")

    found = sample.gap()

    assert {(d.what, d.name) for d in found.drift} == {("missing", "ix_t"), ("added", "legacy")}
    index, harm = found.reasons
    assert index == "production: the index ix_t on notes is missing, as the models have it"
    assert harm.startswith("production: column notes.legacy: it is NOT NULL without a default")


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_database_at_a_revision_that_no_file_has_is_compared_all_the_same(
    sample: Sample,
) -> None:
    sample.upgrade("production", "r1")
    sample.sends("production", "UPDATE alembic_version SET version_num = 'lost'")
    sample.models(BODY)

    found = sample.gap()

    assert found.databases[0].stray == ("lost",)
    assert [(m.place, m.brought) for m in found.missing] == [("notes.body", "none")]
    assert "stands at revision lost, which no file" in found.reasons[0]
    assert found.databases[0].drift is None
    assert "no file has" in found.unknown[0]
    assert found.next_step.startswith("Find the files")


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_where_revisions_do_not_run_on_an_empty_database_it_is_said_how_far_they_came(
    sample: Sample,
) -> None:
    sample.upgrade("production", "r1")
    sample.upgrade("staging", "r1")
    sample.revision("r2", 'op.execute("INSERT INTO by_hand VALUES (1)")\n' + ADD_BODY)
    sample.models(BODY)
    sample.sends("staging", "ALTER TABLE notes ADD COLUMN body TEXT")

    found = sample.gap("staging")

    assert [(m.place, m.brought) for m in found.missing] == [("notes.body", "waiting")]
    assert found.databases[0].drift == ()  # what is applied was made before it failed
    assert "do not run on an empty database (migrations/versions/r2.py:9:" in found.unknown[0]


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_reached_is_a_reason_and_never_a_pass(sample: Sample) -> None:
    sample.urls |= {"production": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    sample.configure()

    found = sample.gap("staging", "elsewhere")

    assert "could not be compared" in found.reasons[0]
    assert found.databases[0].error
    assert [one.environment for one in found.against if one.error] == ["staging", "elsewhere"]
    assert found.next_step.startswith("Mend what the error about 'production' names")


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_database_of_which_there_is_no_file_is_said_and_not_made(sample: Sample) -> None:
    found = sample.gap()

    assert "no file of the database yet" in found.reasons[0]
    assert found.reasons[1] == "production: waiting to be applied: r1"
    assert not Path(sa.make_url(sample.urls["production"]).database or "").exists()


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_environments_that_are_one_database_are_not_held_against_each_other(
    sample: Sample,
) -> None:
    sample.upgrade("production", "r1")
    sample.urls["staging"] = sample.urls["production"]
    sample.configure()

    found = sample.gap("staging")

    assert found.reasons == ()
    assert found.unknown == (
        "staging: it is the very same database as production's: nothing is compared",
    )


@pytest.mark.parametrize("urls", ["postgresql"], indirect=True)
def test_databases_of_two_kinds_are_compared_by_the_names_of_tables_and_columns(
    tmp_path: Path, sample: Sample
) -> None:
    sample.urls["staging"] = f"sqlite:///{(tmp_path / 'other.sqlite').as_posix()}"
    sample.configure()
    sample.upgrade("production", "r1")
    sample.models(BODY)
    sample.revision("r2", ADD_BODY)
    sample.upgrade("staging", "r2")

    (against,) = sample.gap("staging").against

    assert [d.text for d in against.differences] == [
        "column notes.body: staging has it, production has not"
    ]
    assert "between postgresql and sqlite" in against.not_compared
