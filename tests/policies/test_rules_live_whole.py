"""What the rules say of whole revision files, held against what the database then does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from tests.policies.live import Live, lives

from rulezero_server.worker import errors, load, trace

pytestmark = pytest.mark.proves("A04", "A07")

DATABASES = {"sqlite": "sqlite_file", "postgresql": "postgres_url", "mariadb": "mariadb_url"}
LOSES = ("CRITICAL", "loses_data")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'live.db').as_posix()}"


@pytest.fixture(params=DATABASES)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    url = request.getfixturevalue(DATABASES[request.param])
    yield from lives(sa.create_engine(url, poolclass=sa.NullPool), tmp_path)


on_postgresql = pytest.mark.parametrize("live", ["postgresql"], indirect=True)


# mass-drop


def made(live: Live, count: int) -> None:
    live.run(*(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY)" for n in range(count)))


def dropped(count: int) -> str:
    return "\n".join(f"op.drop_table('t{n}')" for n in range(count))


def test_most_tables_dropped_is_counted_on_the_database(live: Live) -> None:
    made(live, 5)
    case = live.review_file(dropped(4))
    assert case.of("mass-drop") == [LOSES]
    (finding,) = (f for f in case.findings if f.rule == "mass-drop")
    assert finding.evidence == "4 of 5 tables are dropped"
    assert live.move("head") is None
    assert set(sa.inspect(live.engine).get_table_names()) == {"alembic_version", "t4"}


def test_a_few_of_many_tables_dropped_are_no_mass(live: Live) -> None:
    made(live, 9)
    assert live.review_file(dropped(4)).of("mass-drop") == []


# foreign-object-drop


def test_a_table_of_something_else_is_known_whatever_is_in_it(live: Live) -> None:
    live.run(
        "CREATE TABLE apscheduler_jobs (id INTEGER PRIMARY KEY)",
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY)",
        "INSERT INTO apscheduler_jobs VALUES (1)",
    )
    case = live.review_file("op.drop_table('apscheduler_jobs')\nop.drop_table('jobs')")
    assert case.of("foreign-object-drop") == [LOSES]
    (finding,) = (f for f in case.findings if f.rule == "foreign-object-drop")
    assert finding.subject == "apscheduler_jobs"
    assert "one of APScheduler" in finding.evidence
    assert live.move("head") is None


# enum-duplicate

PEOPLE = """\
op.create_table('people', sa.Column('id', sa.BigInteger(), primary_key=True),
                sa.Column('mood', sa.Enum('sad', 'ok', name='mood')))"""
LEAVES = "op.drop_table('people')"
RAW = "op.execute(\"CREATE TYPE mood AS ENUM ('sad', 'ok')\")"
MADE = "sa.Enum('sad', 'ok', name='mood').create(op.get_bind(), checkfirst={checked})"
UNMADE = "sa.Enum(name='mood').drop(op.get_bind(), checkfirst=False)"

SWAP = """\
op.execute('ALTER TYPE old RENAME TO {aside}')
op.execute("CREATE TYPE old AS ENUM ({labels})")
op.execute('DROP TYPE {aside}')"""

ENUMS = {
    "left by the table": (PEOPLE, LEAVES, True),
    "dropped in SQL": (PEOPLE, f"{LEAVES}\nop.execute('DROP TYPE mood')", False),
    "dropped if there": (PEOPLE, f"{LEAVES}\nop.execute('DROP TYPE IF EXISTS mood')", False),
    "dropped by SQLAlchemy": (PEOPLE, f"{LEAVES}\n{UNMADE}", False),
    "made in SQL": (RAW, "op.execute('SELECT 1')", True),
    "made and left": (MADE.format(checked=False), "op.execute('SELECT 1')", True),
    "made where it is not there": (MADE.format(checked=True), "op.execute('SELECT 1')", False),
    "swapped": (
        SWAP.format(aside="older", labels="'a', 'b'"),
        SWAP.format(aside="newer", labels="'a'"),
        False,
    ),
}


@on_postgresql
@pytest.mark.parametrize("what", ENUMS)
def test_an_upgrade_after_a_downgrade_fails_exactly_where_a_type_is_said_to_be_left(
    live: Live, what: str
) -> None:
    upgrade, downgrade, left = ENUMS[what]
    live.run("CREATE TYPE old AS ENUM ('a')")
    case = live.review_file(upgrade, downgrade)
    assert case.of("enum-duplicate") == ([("WARNING", "design")] if left else [])
    assert live.move("head") is None
    assert live.move("base") is None
    error = live.move("head")
    assert ("already exists" in (error or "")) == left, error


# truncate

KEYS = (
    "CREATE TABLE a (id INT PRIMARY KEY)",
    "CREATE TABLE b (id INT PRIMARY KEY, a INT REFERENCES a)",
    "CREATE TABLE c (b INT REFERENCES b)",
    "INSERT INTO a VALUES (1), (2)",
    "INSERT INTO b VALUES (1, 1)",
    "INSERT INTO c VALUES (1), (1), (1)",
)


@on_postgresql
def test_a_truncate_names_what_it_empties_too_and_how_many_rows_that_are(live: Live) -> None:
    live.run(*KEYS)
    case = live.review_file("op.execute('TRUNCATE a CASCADE')")
    (finding,) = (f for f in case.findings if f.rule == "truncate")
    assert (finding.severity, finding.outcome) == LOSES
    assert finding.evidence.endswith("CASCADE empties too: b: 1 rows, c: 3 rows")
    assert live.move("head") is None
    assert [live.rows(f"SELECT count(*) FROM {t}") for t in "abc"] == [[(0,)]] * 3


@on_postgresql
@pytest.mark.parametrize(("tables", "refused"), [("a", True), ("a, b", True), ("a, b, c", False)])
def test_a_truncate_without_cascade_fails_where_a_table_that_refers_is_left_out(
    live: Live, tables: str, refused: bool
) -> None:
    live.run(*KEYS)
    case = live.review_file(f"op.execute('TRUNCATE {tables}')")
    assert {o for _, o in case.of("truncate")} == {"will_fail" if refused else "loses_data"}
    assert (live.move("head") is not None) == refused


# autocommit-in-external-transaction

ENV = """\
from alembic import context
from sqlalchemy import create_engine, pool, text

engine = create_engine(context.config.get_main_option("url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    {before}
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
"""
BLOCK = """\
{before}
with op.get_context().autocommit_block():
    op.execute("VACUUM notes")"""

BEGINS = "connection.execute(text('SET statement_timeout = 9000'))"
ENVS = {
    "plain": ("pass", "op.execute('SELECT 1')", False),
    "begun": (BEGINS, "op.execute('SELECT 1')", True),
    "begun and nothing before": (BEGINS, "pass", True),
    "begun and committed": (f"{BEGINS}; connection.commit()", "pass", False),
    "committed by the revision": (BEGINS, "op.get_bind().commit()", False),
    "committed too early": (BEGINS, "op.get_bind().commit(); op.execute('SELECT 1')", True),
}


@on_postgresql
@pytest.mark.parametrize("what", ENVS)
def test_an_autocommit_block_fails_exactly_where_env_py_is_said_to_stand_in_its_way(
    live: Live, what: str
) -> None:
    begins, before, stuck = ENVS[what]
    live.run("CREATE TABLE notes (id INT)")
    live.review_file(BLOCK.format(before=before))
    (live.folder / "migrations" / "env.py").write_text(ENV.format(before=begins))
    config = Config()
    config.set_main_option("script_location", (live.folder / "migrations").as_posix())
    url = live.engine.url.render_as_string(hide_password=False)
    config.set_main_option("url", url.replace("%", "%%"))
    assert _marked(config, live.folder) == stuck
    try:
        command.upgrade(config, "head")
    except AssertionError:
        assert stuck
    else:
        assert not stuck


def _marked(config: Config, folder: Path) -> bool:
    """Whether the recording, under this env.py, says that alembic gives up."""
    ground = errors.Ground(root=str(folder))
    loaded = load.Loaded("alembic", ground, config, ScriptDirectory.from_config(config))
    (told,) = trace.trace(loaded, {"revisions": ["1a2b3c4d5e6f"]})["traces"]
    return any("autocommit inside" in (step.get("verb") or "") for step in told["upgrade"])


# int-primary-key


@pytest.mark.parametrize("live", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(("highest", "subjects"), [(5, []), (1_900_000_000, ["items.id"])])
def test_a_key_beside_one_that_runs_out_is_found_by_asking(
    live: Live, highest: int, subjects: list[str]
) -> None:
    live.run(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY)", f"INSERT INTO orders VALUES ({highest})"
    )
    case = live.review_file(
        "op.create_table('items', sa.Column('id', sa.Integer(), primary_key=True), "
        "sa.Column('order_id', sa.BigInteger(), sa.ForeignKey('orders.id')))",
        "op.drop_table('items')",
    )
    assert [f.subject for f in case.findings if f.rule == "int-primary-key"] == subjects
