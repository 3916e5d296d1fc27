"""Shadows of PostgreSQL databases."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import shadows
from rulezero_server.shadows import pginstalls, pgserver, sweeping

pytestmark = pytest.mark.proves("D02")

CANARY = "canary-7f3a91"

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE SCHEMA "Odd Schema";
CREATE TABLE author (
    id serial PRIMARY KEY, name varchar(20) NOT NULL UNIQUE, mood mood NOT NULL, mail email);
CREATE TABLE book (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id integer NOT NULL REFERENCES author, boss integer REFERENCES book,
    state text NOT NULL CHECK (state IN ('draft', 'out')),
    twice integer GENERATED ALWAYS AS (author_id * 2) STORED);
CREATE TABLE "Odd Schema"."Tag" (book integer REFERENCES book, word text, PRIMARY KEY (book, word));
CREATE VIEW drafts AS SELECT * FROM book WHERE state = 'draft';
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('a1b2c3');
INSERT INTO author (name, mood) SELECT 'name ' || i, 'ok' FROM generate_series(1, 300) i;
INSERT INTO book (author_id, state, boss)
    SELECT 301 - i, 'out', CASE WHEN i < 20 THEN 301 - i END FROM generate_series(1, 300) i;
"""

Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def target(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with one value that is nobody's business."""
    url = postgres_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("UPDATE author SET name = %s WHERE id = 300", (CANARY,))
        yield connection


@pytest.fixture
def open_here(open_shadow: Callable[..., Any], warm_place: Path) -> Callable[..., Any]:
    """`open_shadow` with the private servers of the session."""

    def opened(access: dict[str, Any], **said: Any) -> Any:
        return open_shadow(access, folder=warm_place, **said)

    return opened


def access(connection: psycopg.Connection[Any], **more: str) -> dict[str, Any]:
    return {"dialect": "postgresql", "driver": {**connection.info.get_parameters(), **more}}


def rows(made: shadows.Made, select: str) -> list[Any]:
    with psycopg.connect(**made.to["driver"], autocommit=True) as connection:
        return connection.execute(cast("Any", select)).fetchall()


def names(connection: psycopg.Connection[Any]) -> set[str]:
    """The shadows' databases and roles on a server."""
    found = connection.execute(
        "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles"
    ).fetchall()
    return {name for (name,) in found if name.startswith("rulezero_shadow_")}


def test_the_shadow_holds_schema_and_rows_of_the_target(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        assert rows(made, "SELECT count(*) FROM author WHERE name LIKE 'canary%'") == [(1,)]
        assert rows(made, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert rows(made, "SELECT nextval('author_id_seq')") == [(301,)]
        assert rows(made, "SELECT count(*) FROM drafts") == [(0,)]
        assert (made.shadow.whole, made.shadow.real, made.shadow.lacks) == (True, True, ())
        assert made.shadow.rows == "all 600 rows"
        assert "PostgreSQL 18" in made.shadow.where
        sizes = {(s.schema, s.table): (s.rows, s.target) for s in made.shadow.sizes}
        assert sizes[None, "author"] == (300, 300)
        assert sizes["Odd Schema", "Tag"] == (0, 0)


def test_a_shadow_is_gone_afterwards_and_not_reached_by_its_name(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    opened = open_here(access(target))
    given: dict[str, Any] = opened.__enter__().to["driver"]
    held = psycopg.connect(**given)
    assert not opened.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    held.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**given)


OUTSIDE = (
    "CREATE DATABASE other",
    "CREATE ROLE other",
    "COPY author TO PROGRAM 'true'",
    "COPY author TO '/tmp/author'",
    "SELECT pg_read_file('/etc/hostname')",
    "CREATE EXTENSION dblink",
    "ALTER SYSTEM SET port = 1",
    "SET SESSION AUTHORIZATION postgres",
    "DROP DATABASE postgres",
)


def test_the_shadows_role_reaches_nothing_outside(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        for reach in OUTSIDE:
            with pytest.raises(psycopg.Error):
                rows(made, reach)


def test_the_shadows_role_enters_no_other_database_of_a_private_server(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as one, open_here(access(target)) as other:
        for name in ("postgres", "template1", other.to["driver"]["dbname"]):
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(**one.to["driver"] | {"dbname": name})


@pytest.mark.parametrize("wishes", [{}, {"rows": 100}, {"real_rows": "never"}])
def test_no_lock_beyond_access_share_is_taken_on_the_target(
    target: psycopg.Connection[Any], open_here: Callable[..., Any], wishes: dict[str, Any]
) -> None:
    before = target.execute("SELECT count(*), max(xmin::text::int8) FROM author").fetchone()
    with psycopg.connect(target.info.dsn, autocommit=True) as watcher:
        watched = _Watch(watcher)
        with watched, open_here(access(target), **wishes):
            pass
    assert watched.seen == {"AccessShareLock"}
    after = target.execute("SELECT count(*), max(xmin::text::int8) FROM author").fetchone()
    assert after == before


class _Watch:
    """The locks on relations of one's own that others hold while it watches."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[str] = set()

    def _look(self) -> None:
        while not self._done.is_set():
            found = self._connection.execute(
                "SELECT DISTINCT mode FROM pg_locks WHERE relation > 16384 "
                "AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database "
                "WHERE datname = current_database())"
            )
            self.seen.update(mode for (mode,) in found)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


# A type that only a superuser may make: a table that has one is missing on the shadow.
STRANGE = """
CREATE TYPE odd;
CREATE FUNCTION odd_in(cstring) RETURNS odd LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION odd_out(odd) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text);
CREATE TABLE strange (note text, value odd);
"""


@pytest.mark.parametrize("start", ["\t", "\f", "\r"])
def test_rows_whose_table_is_missing_on_the_shadow_are_not_read_as_commands(
    target: psycopg.Connection[Any], open_here: Callable[..., Any], tmp_path: Path, start: str
) -> None:
    marker = tmp_path / "marker"
    target.execute(STRANGE)
    target.execute("INSERT INTO strange (note) VALUES (%s)", (f"{start} `touch {marker}`",))
    target.execute("ANALYZE")
    with open_here(access(target), rows=100) as made:
        assert rows(made, "SELECT count(*) FROM author") == [(200,)], "the others have theirs"
        assert any("strange" in line for line in made.shadow.lacks)
    assert not marker.exists()


def test_a_sample_is_whole_by_foreign_keys_and_says_that_it_is_one(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    target.execute("ANALYZE")
    with open_here(access(target), rows=100) as made:
        # 100 books, 19 that they refer to; 100 authors, and 100 whom the books refer to.
        assert rows(made, "SELECT count(*) FROM book") == [(119,)]
        assert rows(made, "SELECT count(*) FROM author") == [(200,)]
        orphans = (
            "SELECT count(*) FROM book LEFT JOIN author a ON a.id = author_id WHERE a.id IS NULL"
        )
        assert rows(made, orphans) == [(0,)]
        keys = "SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'"
        assert rows(made, keys) == [(True,)]
        assert rows(made, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert rows(made, "SELECT nextval('author_id_seq') > (SELECT max(id) FROM author)") == [
            (True,)
        ]
        assert (made.shadow.whole, made.shadow.real) == (False, True)
        assert made.shadow.rows == "a sample of 319 rows of about 600, whole by foreign keys"
        sizes = {s.table: (s.rows, s.target) for s in made.shadow.sizes}
        assert sizes["author"] == (200, 300)


def test_a_database_over_the_megabytes_is_sampled(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target), megabytes=0.01) as made:
        assert not made.shadow.whole
        assert made.shadow.real


def test_of_a_protected_database_no_value_stands_anywhere_in_the_shadow(
    target: psycopg.Connection[Any],
    open_here: Callable[..., Any],
    warm_place: Path,
) -> None:
    secret = "canary-of-the-protected-one"
    target.execute(sql.SQL("UPDATE author SET name = {} WHERE id = 299").format(secret[:20]))
    with open_here(access(target), protected=True) as made:
        assert not _anywhere(warm_place, secret[:20])
        assert not made.shadow.real
        assert "made up" in made.shadow.rows
        counts = {s.table: s.rows for s in made.shadow.sizes}
        assert counts == {"author": 3, "book": 3, "Tag": 3, "alembic_version": 1}
        assert rows(made, "SELECT count(*) FROM author WHERE mail IS NULL") == [(1,)]
        assert rows(made, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert rows(made, "SELECT nextval('author_id_seq')") == [(4,)]
    with open_here(access(target)):
        assert _anywhere(warm_place, secret[:20]), "it would have been found"


def _anywhere(folder: Path, text: str) -> bool:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return any(text.encode() in file.read_bytes() for file in files)


def test_protected_rows_may_be_copied_on_their_own_server(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target), where="server", protected=True) as made:
        assert made.shadow.real
        assert "the target's own server" in made.shadow.where
        assert names(target) == {made.to["driver"]["dbname"]}
        with psycopg.connect(**made.to["driver"]) as connection, pytest.raises(psycopg.Error):
            connection.execute("CREATE ROLE other")
    assert names(target) == set()


def test_a_server_that_lets_no_role_be_made_has_no_shadow(
    target: psycopg.Connection[Any], no_shadow: Callable[..., NotRehearsed]
) -> None:
    target.execute("CREATE ROLE plain LOGIN; GRANT pg_read_all_data TO plain")
    try:
        answer = no_shadow(access(target, user="plain"), where="server")
    finally:
        target.execute("DROP OWNED BY plain; DROP ROLE plain")
    assert "no role could be made" in answer.reason
    assert "CREATEROLE" in answer.mend


def test_a_table_that_the_user_may_not_read_is_named(
    target: psycopg.Connection[Any], no_shadow: Callable[..., NotRehearsed], warm_place: Path
) -> None:
    target.execute("CREATE ROLE plain LOGIN")
    try:
        answer = no_shadow(access(target, user="plain"), folder=warm_place, real_rows="always")
    finally:
        target.execute("DROP OWNED BY plain; DROP ROLE plain")
    assert "may not read" in answer.reason
    assert CANARY not in str(answer)


def test_a_named_server_is_used_and_old_left_overs_there_are_swept(
    target: psycopg.Connection[Any],
    open_here: Callable[..., Any],
    postgres: str,
) -> None:
    now = int(time.time())
    old, young = (f"rulezero_shadow_{at:08x}{'0' * 8}" for at in (now - 7200, now - 60))
    for name in (old, young):
        target.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        target.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    try:
        with open_here(access(target), postgresql=postgres) as made:
            assert "the server for rehearsals" in made.shadow.where
            assert names(target) == {young, made.to["driver"]["dbname"]}
        assert names(target) == {young}
    finally:
        target.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(young)))
        target.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(young)))


def test_what_an_address_says_is_what_libpq_is_told() -> None:
    found = pgserver.variables_of("postgresql+psycopg://u%40:p%2F@h:5433/d?sslmode=require")
    wanted = {"PGHOST": "h", "PGPORT": "5433", "PGUSER": "u@", "PGPASSWORD": "p/"}
    assert wanted.items() <= found.items()
    assert found["PGDATABASE"] == "d"
    assert found["PGSSLMODE"] == "require"


def test_an_extension_that_the_server_does_not_offer_is_named(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    target.execute("CREATE EXTENSION vector")
    target.execute("SET allow_system_table_mods = on")
    target.execute("UPDATE pg_extension SET extname = 'not_to_be_had' WHERE extname = 'vector'")
    with open_here(access(target)) as made:
        (line,) = [one for one in made.shadow.lacks if "not_to_be_had" in one]
        assert "does not offer" in line


def test_schemas_extensions_roles_and_search_path_are_there(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    name = sql.Identifier(target.info.dbname)
    target.execute("CREATE ROLE reader_of_books")
    try:
        target.execute("CREATE SCHEMA postgres; CREATE EXTENSION vector SCHEMA postgres")
        target.execute("GRANT SELECT ON book TO reader_of_books")
        target.execute(
            sql.SQL('ALTER DATABASE {} SET search_path = "$user", "Odd Schema", public').format(
                name
            )
        )
        with open_here(access(target)) as made:
            assert rows(made, "SHOW search_path") == [('postgres, "Odd Schema", public',)]
            assert rows(made, "SELECT extname FROM pg_extension WHERE extname = 'vector'")
            may = "SELECT has_table_privilege('reader_of_books', 'book', 'SELECT')"
            assert rows(made, may) == [(True,)]
            assert [line for line in made.shadow.lacks if "vector" not in line] == []
    finally:
        target.execute("DROP OWNED BY reader_of_books; DROP ROLE reader_of_books")


def test_an_older_server_is_named_as_such(
    target: psycopg.Connection[Any],
    open_here: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = [one for one in pginstalls.installs() if one.server and one.major < 18]
    if not older:
        pytest.skip("no older server is here")

    def server(_major: int) -> pginstalls.Install:
        return older[-1]

    monkeypatch.setattr(pginstalls, "server", server)
    with open_here(access(target)) as made:
        assert f"PostgreSQL {older[-1].major}" in made.shadow.where
        assert any("the shadow is older" in line for line in made.shadow.lacks)
        assert rows(made, "SELECT count(*) FROM author") == [(300,)]


def test_without_programs_there_is_no_shadow_and_it_says_what_to_install(
    target: psycopg.Connection[Any],
    no_shadow: Callable[..., NotRehearsed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pginstalls, "installs", tuple)
    answer = no_shadow(access(target))
    assert "pg_dump" in answer.reason
    assert "rulezero[embedded]" in answer.mend


def test_what_cannot_be_restored_is_named_without_a_value(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    target.execute(
        "CREATE FUNCTION never() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER no_role_may ON ddl_command_end EXECUTE FUNCTION never()"
    )
    with open_here(access(target)) as made:
        assert made.shadow.lacks == ("event trigger no_role_may",)
        assert made.shadow.whole


CODE = """
import pathlib, sys
from rulezero_policies.plan import DatabaseIdentity
from rulezero_server import shadows
from rulezero_server.shadows import private
from rulezero_server.shadows.wishes import Wishes
identity = DatabaseIdentity(dialect="postgresql", host=None, port=None, name="it", server_id=None)
with shadows.open({access!r}, identity, Wishes(seconds=60), protected=False,
                  folder=pathlib.Path({place!r})) as made:
    (server,) = private._SERVERS.values()
    print(server.keeper.pid, server.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for a stranger needs a pidfd")
@pytest.mark.parametrize("keeper_too", [False, True])
def test_after_a_kill_nothing_is_left_of_a_private_server(
    target: psycopg.Connection[Any], place: Path, *, keeper_too: bool
) -> None:
    code = CODE.format(access=access(target), place=str(place))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        keeper, folder = process.stdout.readline().decode().split()
        assert sweeping.answers(Path(folder))
        waits = os.pidfd_open(int(keeper))
        process.send_signal(signal.SIGKILL)
        process.wait()
    if keeper_too:
        os.kill(int(keeper), signal.SIGKILL)
    else:
        _await(waits)
        assert not Path(folder).exists(), "the keeper removes it when its owner dies"
    os.close(waits)
    shadows.sweep(place)
    assert not sweeping.answers(Path(folder))
    assert list(place.iterdir()) == []


def _await(process: int) -> None:
    import select  # noqa: PLC0415

    poll = select.poll()
    poll.register(process, select.POLLIN)
    assert poll.poll(30_000), "the keeper did not end"


def test_the_secret_of_the_server_stands_in_no_command_line(
    target: psycopg.Connection[Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if _mine(file)]
        assert lines
        assert not any(made.to["driver"]["password"].encode() in line for line in lines)


def _mine(file: Path) -> bool:
    try:
        return bool(file.read_bytes())
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="LD_DEBUG is of Linux's loader")
def test_what_a_project_sets_does_not_reach_the_programs_unless_it_names_the_database(
    target: psycopg.Connection[Any], open_here: Callable[..., Any], tmp_path: Path
) -> None:
    project = {
        "LD_DEBUG": "files",
        "LD_DEBUG_OUTPUT": str(tmp_path / "loaded"),
        "PGAPPNAME": "said by the project",
        "PATH": str(tmp_path),
    }
    with open_here(access(target), variables=project) as made:
        assert made.shadow.whole
    assert list(tmp_path.glob("loaded*")) == []
