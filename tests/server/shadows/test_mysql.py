"""Shadows of MariaDB databases."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import shadows
from rulezero_server.shadows import myclient, myserver, programs

pytestmark = pytest.mark.proves("D02")

CANARY = "canary-7f3a91"

SCHEMA = """
CREATE TABLE author (
    id integer AUTO_INCREMENT PRIMARY KEY, name varchar(20) NOT NULL UNIQUE,
    mood enum('sad', 'ok') NOT NULL, born date, picture blob);
CREATE TABLE book (
    id integer AUTO_INCREMENT PRIMARY KEY, author_id integer NOT NULL REFERENCES author (id),
    boss integer, state varchar(10) NOT NULL CHECK (state IN ('draft', 'out')),
    twice integer GENERATED ALWAYS AS (author_id * 2) STORED,
    FOREIGN KEY (boss) REFERENCES book (id), FOREIGN KEY (author_id) REFERENCES author (id));
CREATE TABLE tag (book integer REFERENCES book (id), word varchar(10), PRIMARY KEY (book, word));
CREATE TABLE log (line text);
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('a1b2c3');
INSERT INTO author (name, mood, picture) SELECT concat('name ', seq), 'ok', x'00ff0a'
    FROM seq_1_to_300;
SET foreign_key_checks = 0;
INSERT INTO book (id, author_id, state, boss)
    SELECT seq, 301 - seq, 'out', IF(seq < 20, 301 - seq, NULL) FROM seq_1_to_300;
SET foreign_key_checks = 1;
INSERT INTO log VALUES ('a line\\nand ''another''');
CREATE DEFINER = 'gone'@'elsewhere' VIEW drafts AS SELECT * FROM book WHERE state = 'draft';
CREATE DEFINER = 'gone'@'elsewhere' PROCEDURE twice(a integer) SELECT a * 2;
CREATE TRIGGER shout BEFORE INSERT ON log FOR EACH ROW SET NEW.line = 'X';
"""


@pytest.fixture
def target(mariadb_url: str) -> Iterator[Any]:
    """A database with one value that is nobody's business."""
    parts = urlsplit(mariadb_url)
    given: dict[str, Any] = {"unix_socket": parts.query.partition("=")[2], "user": "root"}
    with pymysql.connect(**given, database=parts.path[1:], autocommit=True) as connection:
        cursor = connection.cursor()
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("UPDATE author SET name = %s WHERE id = 300", (CANARY,))
        yield {**given, "database": parts.path[1:], "cursor": cursor}


@pytest.fixture
def open_here(open_shadow: Callable[..., Any], warm_place: Path) -> Callable[..., Any]:
    """`open_shadow` with the private servers of the session."""

    def opened(access: dict[str, Any], **said: Any) -> Any:
        return open_shadow(access, folder=warm_place, **said)

    return opened


def access(target: dict[str, Any], **more: str) -> dict[str, Any]:
    driver = {name: value for name, value in target.items() if name != "cursor"}
    return {"dialect": "mysql", "driver": {**driver, **more}}


def rows(made: shadows.Made, select: str) -> list[Any]:
    with pymysql.connect(**made.to["driver"]) as connection:
        cursor = connection.cursor()
        cursor.execute(select)
        return list(cursor.fetchall())


def test_the_shadow_holds_schema_and_rows_of_the_target(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        assert rows(made, "SELECT count(*) FROM author WHERE name LIKE 'canary%'") == [(1,)]
        assert rows(made, "SELECT DISTINCT hex(picture) FROM author") == [("00FF0A",)]
        assert rows(made, "SELECT line FROM log") == [("a line\nand 'another'",)]
        assert rows(made, "SELECT count(*) FROM drafts") == [(0,)]
        assert rows(made, "CALL twice(4)") == [(8,)]
        assert rows(made, "SHOW TRIGGERS")[0][0] == "shout"
        assert (made.shadow.whole, made.shadow.real, made.shadow.lacks) == (True, True, ())
        assert made.shadow.rows == "all 601 rows"
        assert "MariaDB" in made.shadow.where
        sizes = {size.table: (size.rows, size.target) for size in made.shadow.sizes}
        assert sizes["author"] == (300, 300)
        given = made.to["driver"]
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(**given)


OUTSIDE = (
    "CREATE DATABASE other",
    "CREATE USER other",
    "SELECT * FROM mysql.global_priv",
    "SELECT 1 INTO OUTFILE '/tmp/out'",
    "INSTALL SONAME 'ha_federatedx'",
    "SET GLOBAL max_connections = 10",
    "GRANT ALL ON *.* TO CURRENT_USER",
)


def test_the_shadows_user_reaches_nothing_outside(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        for reach in OUTSIDE:
            with pytest.raises(pymysql.err.Error) as refused:
                rows(made, reach)
            assert refused.value.args[0] in {1044, 1045, 1142, 1227}, reach


def test_the_shadows_user_has_no_right_on_a_schema_whose_name_looks_alike(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target)) as made:
        (granted,) = [row for row in rows(made, "SHOW GRANTS") if "ALL PRIVILEGES" in row[0]]
        assert f"`{made.to['driver']['database']}`".replace("_", r"\_") in granted[0]


def test_a_sample_is_whole_by_foreign_keys_and_says_that_it_is_one(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target), rows=100) as made:
        assert rows(made, "SELECT count(*) FROM book") == [(119,)]
        orphans = (
            "SELECT count(*) FROM book LEFT JOIN author a ON a.id = author_id WHERE a.id IS NULL"
        )
        assert rows(made, orphans) == [(0,)]
        bosses = (
            "SELECT count(*) FROM book b LEFT JOIN book a ON a.id = b.boss "
            "WHERE a.id IS NULL AND b.boss IS NOT NULL"
        )
        assert rows(made, bosses) == [(0,)]
        assert rows(made, "SELECT DISTINCT hex(picture) FROM author") == [("00FF0A",)]
        assert rows(made, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert rows(made, "SHOW TRIGGERS")[0][0] == "shout"
        assert (made.shadow.whole, made.shadow.real) == (False, True)
        assert "a sample of" in made.shadow.rows
        assert made.shadow.lacks == ("rows of `log`: it has no primary key",)


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES"])
@pytest.mark.parametrize("bounds", [{}, {"rows": 100}], ids=["whole", "sample"])
def test_no_value_of_a_row_is_read_as_a_command_of_the_client(
    target: dict[str, Any],
    open_here: Callable[..., Any],
    tmp_path: Path,
    mode: str,
    bounds: dict[str, int],
) -> None:
    marker, cursor = tmp_path / "marker", target["cursor"]
    cursor.execute("CREATE TABLE note (id integer PRIMARY KEY, line text)")
    for number, start in enumerate(("\\'", "'", "\\", '"', "`", "*/", "")):
        value = f"{start}\n\\! touch {marker}\n;\n\\! touch {marker}\n"
        cursor.execute("INSERT INTO note VALUES (%s, %s)", (number, value))
    cursor.execute("SELECT @@GLOBAL.sql_mode")
    ((before,),) = cursor.fetchall()
    cursor.execute("SET GLOBAL sql_mode = %s", (mode or before,))
    try:
        with open_here(access(target), **bounds) as made:
            assert rows(made, "SELECT count(*) FROM note") == [(7,)]
    finally:
        cursor.execute("SET GLOBAL sql_mode = %s", (before,))
    assert not marker.exists()


def test_of_a_protected_database_no_value_stands_anywhere_in_the_shadow(
    target: dict[str, Any], open_here: Callable[..., Any], warm_place: Path
) -> None:
    secret = "canary-of-protected"
    target["cursor"].execute("UPDATE author SET name = %s WHERE id = 299", (secret,))
    with open_here(access(target), protected=True) as made:
        assert not _anywhere(warm_place, secret)
        assert not made.shadow.real
        counts = {size.table: size.rows for size in made.shadow.sizes}
        assert counts == {"author": 3, "book": 3, "tag": 3, "log": 3, "alembic_version": 1}
        assert rows(made, "SELECT count(*) FROM author WHERE born IS NULL") == [(1,)]
        assert rows(made, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert made.shadow.lacks == ()
    with open_here(access(target)):
        assert _anywhere(warm_place, secret), "it would have been found"


def _anywhere(folder: Path, text: str) -> bool:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return any(text.encode() in file.read_bytes() for file in files)


def test_protected_rows_may_be_copied_on_their_own_server_and_go_again(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    with open_here(access(target), where="server", protected=True) as made:
        assert made.shadow.real
        assert "the target's own server" in made.shadow.where
        with pytest.raises(pymysql.err.OperationalError):
            rows(made, f"DELETE FROM {target['database']}.author")
    target["cursor"].execute("SHOW DATABASES LIKE 'rulezero%'")
    assert target["cursor"].fetchall() == ()
    target["cursor"].execute("SELECT user FROM mysql.user WHERE user LIKE 'rulezero%'")
    assert target["cursor"].fetchall() == ()


def test_no_lock_beyond_reading_is_taken_on_the_target(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    target["cursor"].execute("INSTALL SONAME 'metadata_lock_info'")
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        given: dict[str, Any] = {"unix_socket": target["unix_socket"], "user": "root"}
        with pymysql.connect(**given, autocommit=True) as connection:
            while not done.is_set():
                cursor = connection.cursor()
                cursor.execute(
                    "SELECT DISTINCT lock_mode FROM information_schema.metadata_lock_info "
                    "WHERE table_schema = %s AND table_name <> ''",
                    (target["database"],),
                )
                seen.update(mode for (mode,) in cursor.fetchall())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for wishes in ({}, {"rows": 100}, {"real_rows": "never"}):
            with open_here(access(target), **wishes):
                pass
    finally:
        done.set()
        watcher.join()
        target["cursor"].execute("UNINSTALL SONAME 'metadata_lock_info'")
    assert "MDL_SHARED_READ" in seen
    assert seen <= {"MDL_SHARED_READ", "MDL_SHARED", "MDL_SHARED_HIGH_PRIO"}


def test_the_sql_mode_of_the_target_is_that_of_the_shadow(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    target["cursor"].execute("SELECT @@GLOBAL.sql_mode")
    (usual,) = target["cursor"].fetchone()
    target["cursor"].execute("SET GLOBAL sql_mode = 'ANSI_QUOTES'")
    try:
        with open_here(access(target)) as made:
            assert rows(made, "SELECT @@GLOBAL.sql_mode") == [("ANSI_QUOTES",)]
    finally:
        target["cursor"].execute("SET GLOBAL sql_mode = %s", (usual,))


def test_what_cannot_be_restored_is_named_without_a_value(
    target: dict[str, Any], open_here: Callable[..., Any]
) -> None:
    target["cursor"].execute("CREATE VIEW gone AS SELECT * FROM log")
    target["cursor"].execute("CREATE TABLE other_log LIKE log")
    target["cursor"].execute("CREATE OR REPLACE VIEW far AS SELECT * FROM mysql.db")
    with open_here(access(target)) as made:
        assert made.shadow.lacks == ("view far",)
        assert made.shadow.whole


def test_without_a_server_it_says_what_to_install(
    target: dict[str, Any],
    no_shadow: Callable[..., NotRehearsed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = programs.found

    def none(name: str) -> Path | None:
        return None if name == "mariadbd" else found(name)

    monkeypatch.setattr(programs, "found", none)
    answer = no_shadow(access(target))
    assert "no MariaDB server" in answer.reason
    assert "Install MariaDB" in answer.mend


def test_an_address_is_read_as_a_driver_would_be_told() -> None:
    found = myserver.driver_of("mysql+pymysql://u%40:p%2F@h:3307/?ssl_ca=x")
    assert found == {"host": "h", "port": "3307", "user": "u@", "password": "p/", "ssl_ca": "x"}


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_the_password_stands_in_no_argument_and_no_file(tmp_path: Path) -> None:
    file = tmp_path / "it.cnf"
    server = myclient.of_driver(
        {"host": "h", "user": 'u"\\', "password": "p4ss"}, dialect="mariadb", file=file, until=0
    )
    command = server.command(("mariadb", "mysql"))
    assert "p4ss" not in " ".join(command) + file.read_text() + repr(server)
    assert server.variables["MYSQL_PWD"] == "p4ss"
    assert 'user = "u\\"\\\\"' in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
