"""There, back and there again on a database that is no target, and what that did to it."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from rulezero_policies.rehearsal import Rehearsed, Sent
from rulezero_server.worker import cut, describe, legs, rehearse, run

Rehearse = Callable[..., Rehearsed]

SHORT = 0.3
"""Seconds that are left once the slow statement is about to be sent."""

CREATE = 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))'
DROP = 'op.drop_table("users")'


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def every_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """A database with a table `notes` of three rows, of each kind."""
    names = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    if request.param == "sqlite":
        url = f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"
    else:
        url = request.getfixturevalue(names[request.param])
    sends(url, "CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(50))", ROWS)
    return url


ROWS = "INSERT INTO notes (id, body) VALUES (1, 'secret-a'), (2, NULL), (3, 'secret-c')"


def sends(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


@pytest.fixture
def rehearses(reload: Any) -> Rehearse:
    """`rehearses(loaded, direction=, to=, start=, …)`: rehearse where the project stands."""

    def go(
        loaded: Any,
        direction: str = "upgrade",
        to: str = "a1",
        start: tuple[str, ...] = (),
        **more: Any,
    ) -> Rehearsed:
        url = sa.make_url(str(loaded.config.get_main_option("sqlalchemy.url")))
        shadow = {"path": url.database, "driver": {"dbname": url.database}}
        fresh = reload(loaded)
        fresh.config.cmd_opts = Namespace(x=None)
        fresh.guard = SimpleNamespace(shadow=SimpleNamespace(to=shadow), databases=None)
        fresh.log, fresh.progress = more.pop("log", []), more.pop("progress", str)
        target = {"dialect": "x", "host": "h", "port": 1, "name": "target", "server_id": "1/1"}
        args = {"direction": direction, "to": to, "start": list(start), "seconds": 60.0}
        given = {**args, "rows": 1000, "identity": target, **more}
        return TypeAdapter(Rehearsed).validate_python(rehearse.rehearse(fresh, given))

    return go


def of(saw: Rehearsed, leg: str) -> list[Sent]:
    return [one for one in saw.sent if one.leg == leg]


@pytest.mark.proves("D02", "B11")
def test_a_harmless_revision_goes_there_back_and_there_again(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    saw = rehearses(project(every_url, {"a1.py": source(CREATE, DROP)}))
    assert (saw.upgrade, saw.downgrade, saw.reupgrade) == ("ok", "ok", "ok")
    assert saw.before == saw.back
    assert saw.there == saw.again != saw.before
    assert (saw.failed, saw.data_there, saw.data_back, saw.runs_again) == ((), (), (), ())
    assert saw.not_shown == ()
    (made,) = [one for one in of(saw, "upgrade") if "CREATE TABLE users" in one.sql]
    assert (made.revision, made.file, made.line) == ("a1", "migrations/versions/a1.py", 10)
    assert made.committed
    assert any("DROP TABLE users" in one.sql for one in of(saw, "downgrade"))


@pytest.mark.proves("D02")
def test_a_rollback_goes_down_and_up_again(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    loaded = project(every_url, {"a1.py": source(CREATE, DROP)})
    rehearses(loaded)
    saw = rehearses(loaded, "downgrade", "base", ("a1",))
    assert (saw.downgrade, saw.upgrade, saw.reupgrade) == ("ok", "ok", "skipped")
    assert saw.sent[0].leg == "downgrade"
    assert saw.before == saw.back != saw.there
    assert saw.remaining is None


@pytest.mark.proves("B11")
def test_a_column_that_comes_back_empty_is_counted_by_its_rows(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    back = 'op.add_column("notes", sa.Column("body", sa.String(50)))'
    saw = rehearses(project(every_url, {"a1.py": source('op.drop_column("notes", "body")', back)}))
    assert saw.data_there == ()
    (lost,) = saw.data_back
    assert (lost.table, lost.before, lost.after) == ("notes", 3, 3)
    assert (lost.lost, lost.added, lost.changed) == (0, 0, 2)
    assert (lost.columns, lost.keys) == (("body",), ("1", "3"))


def test_rows_that_go_and_values_that_change_are_told_by_their_keys(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    code = """
        op.execute("DELETE FROM notes WHERE id = 2")
        op.execute("UPDATE notes SET body = NULL")
        op.execute("INSERT INTO notes (id) VALUES (9)")
    """
    saw = rehearses(project(every_url, {"a1.py": source(code)}))
    (changed,) = saw.data_there
    assert (changed.lost, changed.added, changed.changed) == (1, 1, 2)
    assert changed.keys == ("2", "1", "3", "9")
    (emptied,) = saw.emptied
    assert (emptied.table, emptied.column, emptied.values) == ("notes", "body", 2)
    assert [one.rows for one in of(saw, "upgrade") if "notes" in one.sql] == [1, 2, 1]


def test_a_type_that_changes_leaves_the_values_what_they_were(
    project: Any, source: Any, postgres_url: str, rehearses: Rehearse
) -> None:
    sends(postgres_url, "CREATE TABLE prices (id INTEGER PRIMARY KEY, n INTEGER)")
    sends(postgres_url, "INSERT INTO prices VALUES (1, 5), (2, NULL)")
    there = 'op.alter_column("prices", "n", type_=sa.Numeric(10, 2))'
    back = 'op.alter_column("prices", "n", type_=sa.Integer())'
    saw = rehearses(project(postgres_url, {"a1.py": source(there, back)}))
    assert (saw.upgrade, saw.data_there, saw.data_back) == ("ok", (), ())


def test_tables_with_more_rows_than_are_held_are_summed(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    code = "op.execute(\"UPDATE notes SET body = 'x' WHERE id = 1\")"
    saw = rehearses(project(every_url, {"a1.py": source(code)}), rows=2)
    (changed,) = saw.data_there
    assert (changed.before, changed.after, changed.changed) == (3, 3, None)
    assert (changed.columns, changed.keys) == (("body",), ())


@pytest.mark.proves("A11")
def test_a_failed_upgrade_is_explained_and_nothing_follows_it(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    code = f"""
        {CREATE}
        op.execute("INSERT INTO notes (id) VALUES (1)")
    """
    saw = rehearses(project(every_url, {"a1.py": source(code, DROP)}))
    assert (saw.upgrade, saw.downgrade, saw.reupgrade) == ("failed", "skipped", "skipped")
    (failed,) = saw.failed
    assert (failed.leg, failed.revision, failed.line) == ("upgrade", "a1", 11)
    assert failed.sql == "INSERT INTO notes (id) VALUES (1)"
    assert "IntegrityError" in failed.kind or "UniqueViolation" in failed.kind
    made, refused = [one for one in of(saw, "upgrade") if one.line]
    transactional = every_url.startswith("postgresql")
    assert made.committed is not transactional
    assert not refused.committed
    assert (saw.there == saw.before) is transactional
    assert saw.back == ()


def test_a_downgrade_that_raises_is_told_with_its_line(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    saw = rehearses(project(sqlite_url, {"a1.py": source(CREATE, "raise NotImplementedError")}))
    assert (saw.upgrade, saw.downgrade, saw.reupgrade) == ("ok", "failed", "skipped")
    (failed,) = saw.failed
    assert (failed.leg, failed.kind, failed.line) == ("downgrade", "NotImplementedError", 14)
    assert failed.file == "migrations/versions/a1.py"


def test_what_was_read_out_of_a_table_stands_in_no_statement_and_no_error(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    code = """
        rows = op.get_bind().execute(sa.text("SELECT id, body FROM notes ORDER BY id")).fetchall()
        for row in rows:
            op.execute(f"UPDATE notes SET body = '{row.body}-x' WHERE id = {row.id + 4000}")
        {}[rows[0].body]
    """
    saw = rehearses(project(every_url, {"a1.py": source(code)}))
    assert saw.upgrade == "failed"
    assert "secret" not in str(saw)
    assert "4001" not in str(saw)
    assert "UPDATE notes SET body = … WHERE id = …" in [one.sql for one in saw.sent]


def test_the_transactions_are_those_of_the_database(
    project: Any, source: Any, every_url: str, rehearses: Rehearse
) -> None:
    code = f"""
        op.execute("UPDATE notes SET body = NULL")
        {CREATE}
        op.execute("UPDATE notes SET body = 'x'")
        with op.get_context().autocommit_block():
            op.execute("UPDATE notes SET body = 'y'")
    """
    saw = rehearses(project(every_url, {"a1.py": source(code, DROP)}))
    assert saw.upgrade == "ok"
    one, made, two, alone = [s for s in of(saw, "upgrade") if s.line]
    (version,) = [s for s in of(saw, "upgrade") if s.sql.startswith("INSERT INTO alembic_version")]
    assert version.transaction is not None
    assert all(s.committed for s in of(saw, "upgrade"))
    assert alone.transaction is None
    assert one.transaction is not None
    if every_url.startswith("mysql"):
        assert made.transaction is None
        assert two.transaction not in {None, one.transaction}
    else:
        assert made.transaction == two.transaction == one.transaction


def test_an_upgrade_that_does_something_each_time_is_told(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    loaded = project(sqlite_url, {"a1.py": source(CREATE, DROP)})
    path = Path(loaded.root, "migrations", "env.py")
    text = path.read_text("utf-8")
    again = "            connection.exec_driver_sql('UPDATE notes SET id = id')\n"
    run = "            context.run_migrations()\n\n\ndef offline"
    assert run in text
    path.write_text(text.replace(run, run.replace("\n\n\n", f"\n{again}\n\n"), 1), "utf-8")
    saw = rehearses(loaded)
    assert saw.upgrade == "ok"
    assert saw.runs_again == ("UPDATE notes SET id = id",)


def test_a_long_statement_is_interrupted_and_what_it_would_show_is_named(
    project: Any, source: Any, every_url: str, rehearses: Rehearse, monkeypatch: Any
) -> None:
    limits: list[cut.Limit] = []

    def limited(seconds: float) -> cut.Limit:
        limits.append(cut.Limit(seconds))
        return limits[0]

    def hurry(doing: str) -> None:
        if "b2" in doing:
            limits[0].stop()
            limits[0].__init__(SHORT)  # pyright: ignore[reportUnknownMemberType]

    monkeypatch.setattr(rehearse, "Limit", limited)
    slow = {
        "mysql": "SELECT SLEEP(600) FROM notes",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(600)",
    }[sa.make_url(every_url).get_backend_name()]
    files = {"a1.py": source(CREATE, DROP), "b2.py": source(f'op.execute("{slow}")', "pass",
             revision="b2", down="a1")}  # fmt: skip
    saw = rehearses(project(every_url, files), to="b2", progress=hurry)
    assert (saw.upgrade, saw.downgrade) == ("skipped", "skipped")
    assert saw.not_shown == (
        f"the upgrade was cut off after {SHORT:g} s, at revision b2",
        "the downgrade was not reached",
        "the second upgrade was not reached",
    )
    assert saw.failed == ()


def test_progress_says_which_revision_of_how_many(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    heard: list[str] = []
    files = {"a1.py": source(CREATE, DROP), "b2.py": source("pass", revision="b2", down="a1")}
    rehearses(project(sqlite_url, files), to="b2", progress=heard.append)
    assert heard == [
        "rehearsing: upgrade 1 of 2, a1",
        "rehearsing: upgrade 2 of 2, b2",
        "rehearsing: downgrade 1 of 2, b2",
        "rehearsing: downgrade 2 of 2, a1",
        "rehearsing: upgrade 1 of 2, a1",
        "rehearsing: upgrade 2 of 2, b2",
    ]


@pytest.mark.proves("D02", "A11")
def test_a_merge_goes_back_to_the_branches_it_joined(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    merge = source("pass", revision="m").replace(
        "down_revision = None", 'down_revision = "a1", "b1"'
    )
    files = {
        "a1.py": source(CREATE, DROP),
        "b1.py": source("pass", revision="b1"),
        "m.py": merge,
    }
    loaded = project(sqlite_url, files)
    rehearses(loaded, to="a1")
    sends(sqlite_url, "INSERT INTO alembic_version VALUES ('b1')")
    saw = rehearses(loaded, to="m", start=("a1", "b1"))
    assert (saw.upgrade, saw.downgrade, saw.reupgrade) == ("ok", "ok", "ok")
    assert saw.not_shown == ()
    assert saw.before == saw.back


def test_batch_mode_that_takes_rows_of_another_table_with_it_shows_the_rows(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    sends(
        sqlite_url,
        "CREATE TABLE tags (id INTEGER PRIMARY KEY,"
        " note_id INTEGER REFERENCES notes (id) ON DELETE CASCADE)",
        "INSERT INTO tags VALUES (1, 1), (2, 1), (3, 2)",
        "CREATE INDEX ix_body ON notes (body)",
        "CREATE TRIGGER keeps AFTER INSERT ON notes BEGIN SELECT 1; END",
    )
    code = """
        op.execute("PRAGMA foreign_keys = ON")
        with op.batch_alter_table("notes", recreate="always") as batch:
            batch.add_column(sa.Column("more", sa.Integer))
    """
    saw = rehearses(project(sqlite_url, {"a1.py": source(code)}))
    assert saw.upgrade == "ok"
    (tags,) = saw.data_there
    assert (tags.table, tags.before, tags.after, tags.lost) == ("tags", 3, 0, 3)
    kinds = {(thing.kind, thing.name) for thing in saw.before} - {
        (thing.kind, thing.name) for thing in saw.there
    }
    assert ("trigger", "keeps") in kinds
    assert [one.rewrites for one in of(saw, "upgrade") if one.rewrites] == [("notes",)]
    assert [one.builds for one in of(saw, "upgrade") if one.builds] == [("ix_body",)]


def test_rows_that_refer_to_nothing_afterwards_are_counted(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    sends(
        sqlite_url,
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, note_id INTEGER REFERENCES notes (id))",
        "INSERT INTO tags VALUES (1, 1), (2, 1), (3, 2)",
    )
    saw = rehearses(project(sqlite_url, {"a1.py": source('op.execute("DELETE FROM notes")')}))
    assert saw.broken_before == ()
    assert saw.broken_after == ("3 rows of tags refer to rows of notes that are not there",)


MODELS = """
import enum
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Kind(enum.Enum):
    a = "a"


class Sort(Base):
    __tablename__ = "sorts"
    id = sa.Column(sa.Integer, primary_key=True)
    kind = sa.Column(sa.Enum(Kind))
    extra = sa.Column(sa.Integer)


OPTIONS = dict(target_metadata=Base.metadata)
"""


def test_what_models_and_database_still_disagree_about_and_old_rows_that_do_not_load(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    loaded = project(sqlite_url, {"a1.py": source("pass")})
    path = Path(loaded.root, "migrations", "env.py")
    options = f"import sqlalchemy as sa\n{MODELS}"
    text = path.read_text("utf-8").replace("OPTIONS = dict(target_metadata=None)\n", options)
    path.write_text(text, "utf-8")
    made = "CREATE TABLE sorts (id INTEGER NOT NULL PRIMARY KEY, kind VARCHAR(1))"
    sends(sqlite_url, "DROP TABLE notes", made, "INSERT INTO sorts VALUES (1, 'b')")
    saw = rehearses(loaded)
    assert saw.remaining == ("add column sorts.extra",)
    assert saw.unreadable == ("Sort: OperationalError",)
    sends(sqlite_url, "ALTER TABLE sorts ADD extra INTEGER", "DELETE FROM alembic_version")
    saw = rehearses(loaded)
    assert saw.remaining == ()
    assert saw.unreadable == ("Sort: LookupError",)


@pytest.mark.proves("A01", "C02")
def test_the_target_itself_gets_nothing_sent(
    project: Any, source: Any, filled_url: str, looks: Any, rehearses: Rehearse
) -> None:
    loaded = project(filled_url, {"a1.py": source(CREATE, DROP)})
    before = looks(filled_url)
    identity = describe.database(loaded)["identity"]
    with pytest.raises(Exception, match="EnvScriptError") as caught:
        rehearses(loaded, identity=identity)
    assert isinstance(legs.cause(caught.value), legs.NotTheShadowError)
    assert looks(filled_url) == before


def test_a_shadow_that_is_not_where_the_target_is_gets_nothing_sent(
    project: Any, source: Any, filled_url: str, looks: Any, rehearses: Rehearse
) -> None:
    before = looks(filled_url)
    with pytest.raises(run.MovedError, match="not at b2"):
        rehearses(project(filled_url, {"a1.py": source(CREATE, DROP)}), start=("b2",))
    assert looks(filled_url) == before


def test_what_the_code_was_kept_from_is_told(
    project: Any, source: Any, sqlite_url: str, rehearses: Rehearse
) -> None:
    entry = {"kind": "program", "call": "rm -rf /", "file": "a.py", "line": 3, "package": None}
    kept = {**entry, "kind": "change"}
    saw = rehearses(project(sqlite_url, {"a1.py": source("pass")}), log=[entry, entry, kept])
    assert saw.refused == ("program rm -rf / (a.py, line 3)",)


def test_a_table_that_cannot_be_read_is_named_and_the_others_are_compared(
    project: Any, source: Any, postgres_url: str, rehearses: Rehearse
) -> None:
    sends(
        postgres_url,
        "CREATE TABLE a_notes (id INTEGER PRIMARY KEY)",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
        ROWS,
        "INSERT INTO a_notes VALUES (1)",
        "CREATE FUNCTION refuse() RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE ROLE reads_little",
        "ALTER TABLE a_notes ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE a_notes FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON a_notes USING (refuse())",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO reads_little",
        "GRANT ALL ON SCHEMA public TO reads_little",
    )
    loaded = project(postgres_url, {"a1.py": source('op.execute("DELETE FROM notes")')})
    env = Path(loaded.root, "migrations", "env.py")
    begun = "with engine.connect() as connection:\n"
    role = "        connection.exec_driver_sql('SET ROLE reads_little'); connection.commit()\n"
    env.write_text(env.read_text("utf-8").replace(begun, begun + role), "utf-8")
    try:
        saw = rehearses(loaded)
    finally:
        sends(postgres_url, "DROP OWNED BY reads_little CASCADE", "DROP ROLE reads_little")
    assert saw.upgrade == "ok"
    assert [(one.table, one.lost) for one in saw.data_there] == [("notes", 3)]
    assert "the rows of a_notes, after the upgrade" in saw.not_shown
