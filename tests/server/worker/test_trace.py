"""What a revision does, seen by letting it run where nothing can happen."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op as op_module
from alembic.operations import MigrateOperation, Operations
from pydantic import TypeAdapter

from rulezero_policies.operations import Operation
from rulezero_server.project import WorkerProject
from rulezero_server.worker import trace
from rulezero_tools.records import Trace

Traced = Callable[..., Trace]

FIRST = 10
"""The line of the revision file on which the body of upgrade() begins."""


@pytest.fixture
def traced(project: Any, source: Any, sqlite_url: str) -> Traced:
    """`traced(upgrade, downgrade, url=)`: the trace of a revision of these bodies."""

    def run(upgrade: str, downgrade: str = "pass", *, url: str = sqlite_url) -> Trace:
        loaded = project(url, {"a1_first.py": source(upgrade, downgrade)})
        (found,) = trace.trace(loaded, {"revisions": ["a1"]})["traces"]
        return TypeAdapter(Trace).validate_python(found)

    return run


def kinds(steps: tuple[Operation, ...]) -> list[str]:
    return [s.kind for s in steps]


EVERYTHING = """
key = sa.Column("id", sa.Integer, primary_key=True)
table = op.create_table("users", key, sa.Column("n", sa.String))
op.bulk_insert(table, [{"n": "x"}])
op.add_column("notes", sa.Column("size", sa.Integer))
with op.batch_alter_table("notes") as batch:
    batch.drop_column("body")
op.execute("DELETE FROM notes")
bind = op.get_bind()
bind.execute(sa.text("DELETE FROM notes"))
bind.exec_driver_sql("DROP TABLE notes")
table.create(bind)
table.metadata.drop_all(bind)
cursor = bind.connection.cursor()
cursor.execute("DELETE FROM notes")
bind.connection.commit()
with bind.engine.begin() as other:
    other.execute(sa.text("DELETE FROM notes"))
from alembic import context
context.get_context().bind.execute(sa.text("DELETE FROM notes"))
context.get_bind().execute(sa.text("DELETE FROM notes"))
op.get_context().execute("DELETE FROM notes")
op.get_context().impl.execute("DELETE FROM notes")
with op.get_context().autocommit_block():
    op.execute("DELETE FROM notes")
from sqlalchemy.orm import Session
with Session(bind=bind) as session:
    session.execute(sa.text("DELETE FROM notes"))
    session.commit()
op.drop_table("notes")
"""


@pytest.mark.proves("A01", "D01")
def test_nothing_that_a_revision_does_reaches_the_database(
    traced: Traced, filled_url: str, looks: Any
) -> None:
    before = looks(filled_url)
    found = traced(EVERYTHING, "op.drop_table('notes')", url=filled_url)
    assert found.upgrade_error is None
    assert looks(filled_url) == before
    assert [s.sql for s in found.upgrade].count("DELETE FROM notes") == 10
    assert kinds(found.downgrade) == ["drop_table"]


@pytest.mark.proves("D01")
def test_the_file_of_an_sqlite_database_stays_the_same(traced: Traced, sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    traced(EVERYTHING, EVERYTHING)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [f.name for f in file.parent.glob("notes.sqlite*")] == [file.name]


def test_a_revision_is_seen_with_path_message_and_tree(traced: Traced) -> None:
    found = traced("op.drop_table('a')")
    assert (found.revision, found.message) == ("a1", "revision a1")
    assert found.path == "migrations/versions/a1_first.py"
    assert found.tree.downgrade_is_empty


@pytest.mark.proves("A22")
def test_loops_helpers_and_aliases_are_seen_as_what_they_do(traced: Traced) -> None:
    found = traced(
        """
        from alembic.op import add_column
        import alembic
        for name in ("a", "b"):
            add_column(f"t_{name}", sa.Column(name, sa.Integer))
        def helper(table):
            alembic.op.drop_table(table)
        helper("c")
        """
    )
    assert [(s.kind, s.subject) for s in found.upgrade] == [
        ("add_column", "t_a.a"),
        ("add_column", "t_b.b"),
        ("drop_table", "c"),
    ]
    assert [s.line for s in found.upgrade] == [FIRST + 3, FIRST + 3, FIRST + 5]


def test_a_batch_block_is_seen_flat_with_its_table(traced: Traced) -> None:
    found = traced(
        """
        with op.batch_alter_table("notes", schema="app") as batch:
            batch.alter_column("body", existing_type=sa.Text(), nullable=False)
            batch.create_foreign_key("fk", "users", ["a"], ["id"])
            batch.create_unique_constraint("uq", ["a"])
        op.drop_table("after")
        """
    )
    assert [(s.kind, s.qualified, s.batch) for s in found.upgrade] == [
        ("alter_column", "app.notes", True),
        ("create_constraint", "app.notes", True),
        ("create_constraint", "app.notes", True),
        ("drop_table", "after", False),
    ]


def test_a_batch_block_that_only_recreates_is_not_overlooked(traced: Traced) -> None:
    found = traced(
        """
        with op.batch_alter_table("notes", recreate="always"):
            pass
        """
    )
    assert [(s.kind, s.table) for s in found.upgrade] == [("opaque", "notes")]


def test_a_created_table_can_be_used_further_on(traced: Traced) -> None:
    found = traced(
        """
        users = op.create_table("users", sa.Column("n", sa.String()))
        op.get_bind().execute(users.insert().values(n="it's"))
        op.get_bind().execute(users.update().where(users.c.n.in_(["a", "b"])).values(n=None))
        """
    )
    assert [s.sql for s in found.upgrade[1:]] == [
        "INSERT INTO users (n) VALUES ('it''s')",
        "UPDATE users SET n=NULL WHERE users.n IN ('a', 'b')",
    ]


def test_a_table_may_bring_its_index_along(traced: Traced) -> None:
    trace = traced(
        upgrade="""
        op.create_table(
            "files", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.Text()),
            sa.Index("ix_files_name", "name", unique=True),
        )
        """
    )
    assert trace.upgrade_error is None
    assert [o.kind for o in trace.upgrade] == ["create_table", "create_index"]


def test_values_given_at_execution_are_written_into_the_statement(traced: Traced) -> None:
    found = traced(
        """
        update = sa.text("UPDATE notes SET body = :body WHERE id = :id")
        op.get_bind().execute(update, {"body": "50%", "id": 3})
        op.get_bind().execute(update, [{"body": "a", "id": 1}, {"body": "b", "id": 2}])
        """
    )
    one, many = found.upgrade
    assert one.sql == "UPDATE notes SET body = '50%' WHERE id = 3"
    assert many.sql == "UPDATE notes SET body = :body WHERE id = :id"
    assert many.detail == "2 times, with values"


@pytest.mark.proves("A22")
def test_a_row_stands_in_for_those_that_a_revision_asks_for(traced: Traced) -> None:
    found = traced(
        """
        bind = op.get_bind()
        for row in bind.execute(sa.text("SELECT id FROM notes")):
            bind.execute(sa.text("DELETE FROM notes"))
        op.execute("SELECT set_something()")
        """
    )
    assert [(s.kind, s.sql) for s in found.upgrade] == [
        ("execute", "SELECT id FROM notes"),
        ("execute", "DELETE FROM notes"),
        ("execute", "SELECT set_something()"),
    ]


@pytest.mark.proves("A22")
def test_lines_that_only_some_rows_come_to_are_unknown(traced: Traced) -> None:
    found = traced(
        """
        bind = op.get_bind()
        notes = sa.table("notes", sa.column("id", sa.Integer), sa.column("at", sa.DateTime))
        for row in bind.execute(sa.select(notes.c.id, notes.c.at)):
            if row.id == 1 and row.at is not None:
                op.execute(notes.update().values(id=row.id + 1))
            if row.id == 7:
                op.drop_table("notes")
                continue
        """
    )
    assert kinds(found.upgrade) == ["execute", "execute", "opaque"]
    assert found.upgrade[-1].line == FIRST + 6
    assert str(FIRST + 6) in (found.upgrade[-1].detail or "")
    assert str(FIRST + 7) not in (found.upgrade[-1].detail or "")


@pytest.mark.parametrize(
    "body",
    [
        "for row in rows: row.no_such_column",
        "while True: bind.execute(sa.text('DELETE FROM notes'))",
        "for row in rows: raise SystemExit(1)",
    ],
)
def test_what_made_up_rows_cannot_follow_stays_unknown(traced: Traced, body: str) -> None:
    found = traced(
        f"""
        bind = op.get_bind()
        rows = bind.execute(sa.text("SELECT id FROM notes")).fetchall()
        {body}
        """
    )
    assert "opaque" in kinds(found.upgrade)


def test_a_loop_until_no_row_is_left_ends(traced: Traced) -> None:
    found = traced(
        """
        bind = op.get_bind()
        while True:
            rows = bind.execute(sa.text("SELECT id, n.body AS b FROM notes n LIMIT 10")).fetchall()
            if not rows:
                break
            for row in rows:
                bind.execute(sa.text("DELETE FROM notes WHERE body = :b"), {"b": row.b})
        """
    )
    assert found.upgrade_error is None
    assert "opaque" not in kinds(found.upgrade)
    assert "DELETE FROM notes WHERE body = '1'" in [s.sql for s in found.upgrade]


def test_empty_answers_have_the_usual_shape(traced: Traced) -> None:
    found = traced(
        """
        bind = op.get_bind()
        assert bind.execute(sa.text("SELECT 1")).scalar() is None
        assert bind.execute(sa.text("SELECT 1")).fetchall() == []
        assert bind.execute(sa.text("SELECT 1")).mappings().first() is None
        assert bind.execute(sa.text("UPDATE notes SET id = 1")).rowcount == 0
        assert bind.dialect.name == "sqlite"
        assert op.get_context().as_sql is False
        from alembic import context
        assert not context.is_offline_mode()
        """
    )
    assert found.upgrade_error is None


def test_a_backfill_that_goes_on_while_rows_change_ends(traced: Traced) -> None:
    found = traced(
        """
        while op.get_bind().execute(sa.text("UPDATE notes SET body = ''")).rowcount:
            pass
        """
    )
    assert kinds(found.upgrade) == ["execute"]


@pytest.mark.proves("A22")
def test_a_revision_without_an_end_is_cut_off_and_unknown(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rulezero_server.worker.recorder.LONGEST", 20)
    found = traced(
        """
        while True:
            try:
                op.execute("DELETE FROM notes")
            except Exception:
                pass
        """
    )
    assert len(found.upgrade) == 21
    assert found.upgrade[-1].kind == "opaque"
    assert "more than 20 steps" in (found.upgrade_error or "")


@pytest.mark.proves("A22")
def test_a_revision_that_raises_keeps_what_came_before_and_says_where(traced: Traced) -> None:
    found = traced(
        """
        op.drop_table("a")
        raise ValueError("not today")
        """,
        "raise NotImplementedError()",
    )
    assert kinds(found.upgrade) == ["drop_table", "opaque"]
    assert found.upgrade_error == f"ValueError: not today (line {FIRST + 1})"
    assert found.upgrade[-1].line == FIRST + 1
    assert (found.downgrade_error or "").startswith("NotImplementedError")


def test_a_password_in_an_error_stays_inside(traced: Traced) -> None:
    found = traced("raise ValueError('postgresql://me:hunter2@db/x')")
    assert "hunter2" not in str(found)


def test_the_schema_as_it_stands_can_be_inspected(traced: Traced, filled_url: str) -> None:
    found = traced(
        """
        inspector = sa.inspect(op.get_bind())
        if inspector.has_table("notes") and not inspector.has_table("users"):
            for column in inspector.get_columns("notes"):
                op.drop_column("notes", column["name"])
        """,
        url=filled_url,
    )
    assert [s.subject for s in found.upgrade] == ["notes.id", "notes.body"]


@pytest.mark.proves("A22")
def test_a_downgrade_that_looks_at_the_schema_is_unknown(traced: Traced) -> None:
    found = traced(
        "op.create_table('users')",
        """
        if sa.inspect(op.get_bind()).has_table("users"):
            op.drop_table("users")
        """,
    )
    assert kinds(found.downgrade) == ["opaque"]


def test_objects_created_only_if_missing_are_seen_as_created(
    traced: Traced, postgres_url: str
) -> None:
    found = traced(
        """
        mood = sa.Enum("a", "b", name="mood")
        mood.create(op.get_bind(), checkfirst=True)
        op.add_column("notes", sa.Column("mood", mood))
        """,
        """
        op.drop_column("notes", "mood")
        sa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)
        """,
        url=postgres_url,
    )
    assert [s.sql for s in found.upgrade] == ["CREATE TYPE mood AS ENUM ('a', 'b')", None]
    assert [s.sql for s in found.downgrade] == [None, "DROP TYPE mood"]


@pytest.mark.proves("D01")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT relname FROM pg_class; DROP TABLE notes",
        "SELECT '/*' FROM pg_class; DROP TABLE notes --*/'",
        "SELECT relname FROM pg_class WHERE pg_cancel_backend(relpages) IS NULL; COMMIT",
        "WITH gone AS (DELETE FROM notes RETURNING id) SELECT id FROM gone, pg_class",
        "SELECT setval('notes_seq', 5) FROM pg_class",
        "SELECT \"setval\"('notes_seq', 5) FROM pg_class",
        "SELECT setval/**/('notes_seq', 5) FROM pg_class",
        "SELECT '/*' || setval('notes_seq', 5) || '*/' FROM pg_class",
    ],
)
def test_what_hides_behind_a_query_of_the_catalogue_is_not_passed_on(
    traced: Traced, postgres_url: str, looks: Any, query: str
) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE notes (id INTEGER)"))
        connection.execute(sa.text("INSERT INTO notes VALUES (1)"))
        connection.execute(sa.text("CREATE SEQUENCE notes_seq"))
    before = looks(postgres_url)
    traced(f"op.get_bind().exec_driver_sql({query!r}).fetchall()", url=postgres_url)
    assert looks(postgres_url) == before
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT last_value FROM notes_seq")).scalar() == 1
    engine.dispose()


def test_queries_of_the_catalogue_are_answered(traced: Traced, filled_url: str) -> None:
    queries = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'public'",
    }
    query = queries[sa.make_url(filled_url).get_backend_name()]
    found = traced(
        f"""
        for (name,) in op.get_bind().execute(sa.text({query!r})):
            op.drop_table(name)
        """,
        url=filled_url,
    )
    assert [(s.kind, s.table) for s in found.upgrade] == [("drop_table", "notes")]


def test_an_orm_session_writes_down_what_it_flushes(traced: Traced, filled_url: str) -> None:
    found = traced(
        """
        from sqlalchemy.orm import Session, declarative_base
        class Note(declarative_base()):
            __tablename__ = "notes"
            id = sa.Column(sa.Integer, primary_key=True)
            body = sa.Column(sa.Text)
        session = Session(bind=op.get_bind())
        session.add_all([Note(body="x"), Note(body="y")])
        session.flush()
        session.query(Note).filter(Note.body == "x").update({"body": "z"})
        session.commit()
        """,
        url=filled_url,
    )
    assert found.upgrade_error is None
    texts = [s.sql or "" for s in found.upgrade]
    assert [t.partition(" (")[0] for t in texts[:2]] == ["INSERT INTO notes"] * 2
    assert texts[2].startswith("UPDATE notes SET body='z' WHERE")


def test_an_operation_of_somebody_elses_is_seen_by_what_it_executes(traced: Traced) -> None:
    @Operations.register_operation("create_view_for_a_test")
    class CreateViewOp(MigrateOperation):
        def __init__(self, name: str) -> None:
            self.name = name

        @classmethod
        def create_view_for_a_test(cls, operations: Any, name: str) -> Any:
            return operations.invoke(cls(name))

    @Operations.implementation_for(CreateViewOp)
    def create_view(operations: Any, operation: CreateViewOp) -> None:  # pyright: ignore[reportUnusedFunction] - registered
        if operation.name:
            operations.execute(f"CREATE VIEW {operation.name} AS SELECT 1")

    found = traced('op.create_view_for_a_test("v")\nop.create_view_for_a_test("")')
    assert [(s.kind, s.sql) for s in found.upgrade] == [
        ("execute", "CREATE VIEW v AS SELECT 1"),
        ("opaque", None),
    ]
    assert [s.line for s in found.upgrade] == [FIRST, FIRST + 1]


@pytest.mark.proves("A22")
def test_a_call_of_the_drivers_own_is_unknown(traced: Traced, postgres_url: str) -> None:
    found = traced('op.get_bind().connection.cursor().copy("COPY a FROM STDIN")', url=postgres_url)
    assert kinds(found.upgrade) == ["opaque"]
    assert "copy" in (found.upgrade[0].detail or "")


def test_op_is_what_it_was_after_a_trace(project: Any, source: Any, sqlite_url: str) -> None:
    loaded = project(sqlite_url, {"a1.py": source("raise ValueError")})
    seen: list[Any] = []

    def look(_: Any, context: Any) -> list[Any]:
        before = vars(op_module)["_proxy"]
        trace.record(loaded.script.get_revision("a1"), "upgrade", context)
        seen.extend([vars(op_module)["_proxy"] is before, op_module.get_context() is context])
        seen.append(context.environment_context.get_context() is context)
        return []

    loaded.run_env(look)
    assert seen == [True, True, True]


def test_tables_created_by_hand_are_seen_where_such_calls_are_kept_from_running(
    copy_project: Any, source: Any
) -> None:
    folder = copy_project("alembic_shop")
    create = 'sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer)).create(op.get_bind())'
    text = source(create, revision="b2", down="4c11a0b7d2e8")
    (folder / "migrations" / "versions" / "b2.py").write_text(text, encoding="utf-8")
    project = WorkerProject.open(folder)
    (found,) = project.trace(["b2"])
    shown = project.render(direction="upgrade", start="4c11a0b7d2e8", to="b2")
    assert [(s.sql or "").partition(" (")[0] for s in found.upgrade] == ["CREATE TABLE t"]
    assert "CREATE TABLE t" in (shown.sql or "")
    assert not list(folder.glob("*.db"))


def test_names_follow_the_projects_convention(project: Any, source: Any, sqlite_url: str) -> None:
    names = 'sa.MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"})'
    env = ENV_OF_NAMES.format(names=names)
    upgrade = 'op.create_unique_constraint(None, "notes", ["body"])'
    loaded = project(sqlite_url, {"a1.py": source(upgrade)}, env=env)
    (found,) = trace.trace(loaded, {"revisions": ["a1"]})["traces"]
    assert found["upgrade"][0]["constraint"]["name"] == "uq_notes_body"


ENV_OF_NAMES = """
import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata={names})
    context.run_migrations()
engine.dispose()
"""


@pytest.mark.parametrize(
    "url", ["sqlite:///nowhere/at/all.db", "postgresql+psycopg://nobody@nowhere/x"]
)
def test_without_a_database_what_needs_one_is_unknown_and_the_rest_is_seen(
    project: Any, source: Any, url: str
) -> None:
    upgrade = f"""
    {EVERYTHING.strip().replace(chr(10), chr(10) + "    ")}
    sa.inspect(bind).get_table_names()
    bind.execute(sa.text("SELECT 1 FROM pg_class")).fetchall()
    sa.Enum("a", name="mood").create(bind, checkfirst=True)
    """
    loaded = project(url, {"a1.py": source(upgrade)})
    (found,) = trace.trace(loaded, {"revisions": ["a1"], "static": True})["traces"]
    steps = TypeAdapter(Trace).validate_python(found).upgrade
    assert found["upgrade_error"] is None
    assert [s.sql for s in steps].count("DELETE FROM notes") == 10
    assert {s.detail for s in steps if s.kind == "opaque"} == set()
    assert steps[0].columns[1].type == "VARCHAR"


def test_revisions_come_in_the_order_asked_for(project: Any, source: Any, sqlite_url: str) -> None:
    files = {
        "a1.py": source("op.drop_table('a')"),
        "b2.py": source("op.drop_table('b')", revision="b2", down="a1"),
    }
    loaded = project(sqlite_url, files)
    found = trace.trace(loaded, {"revisions": ["b2", "a1"]})["traces"]
    assert [f["revision"] for f in found] == ["b2", "a1"]
