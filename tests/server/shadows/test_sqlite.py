"""Shadows of SQLite databases."""

import contextlib
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import shadows
from rulezero_server.shadows import folders

pytestmark = pytest.mark.proves("D02")

CANARY = "canary-7f3a91"

SCHEMA = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, born DATE);
CREATE TABLE book (
    id INTEGER NOT NULL PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author (id),
    title TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('draft', 'out')),
    pages INTEGER NOT NULL CHECK (pages >= 300), parent INTEGER REFERENCES book
);
CREATE TABLE tag (book_id INTEGER REFERENCES book, word TEXT, PRIMARY KEY (book_id, word));
CREATE INDEX ix_title ON book (title);
CREATE TRIGGER shout AFTER INSERT ON book BEGIN UPDATE book SET title = 'X'; END;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('a1b2c3');
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A small database, with one value that is nobody's business."""
    file = tmp_path / "target.db"
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.executescript(SCHEMA)
        made.execute("INSERT INTO author VALUES (1, ?, NULL)", (CANARY,))
        made.execute("INSERT INTO book VALUES (1, 1, 'A', 'out', 400, NULL)")
        made.commit()
    return file


def access(file: Path) -> dict[str, Any]:
    return {"dialect": "sqlite", "path": str(file)}


def rows(file: str, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(file)) as made:
        return made.execute(sql).fetchall()


def test_the_shadow_is_a_copy_that_is_gone_afterwards(
    target: Path, open_shadow: Callable[..., Any], place: Path
) -> None:
    with open_shadow(access(target)) as made:
        assert rows(made.to["path"], "SELECT name FROM author") == [(CANARY,)]
        assert made.shadow.whole
        assert made.shadow.real
        assert made.shadow.rows == "all 2 rows"
        assert {s.table: (s.rows, s.target) for s in made.shadow.sizes}["book"] == (1, 1)
        assert Path(made.to["path"]).parent.stat().st_mode & 0o077 == 0 or os.name != "posix"
    assert list(place.iterdir()) == []


def test_the_shadow_is_gone_after_an_exception(
    target: Path, open_shadow: Callable[..., Any], place: Path
) -> None:
    with pytest.raises(ZeroDivisionError), open_shadow(access(target)):
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("protected", [False, True])
def test_nothing_of_the_target_changes_nor_is_anything_made_beside_it(
    target: Path, open_shadow: Callable[..., Any], journal: str, *, protected: bool
) -> None:
    with contextlib.closing(sqlite3.connect(target)) as made:
        made.execute(f"PRAGMA journal_mode = {journal}")
    before = hashlib.sha256(target.read_bytes()).hexdigest(), target.stat().st_mtime_ns
    with open_shadow(access(target), protected=protected) as made:
        assert rows(made.to["path"], "SELECT count(*) > 0 FROM book") == [(1,)]
    assert (hashlib.sha256(target.read_bytes()).hexdigest(), target.stat().st_mtime_ns) == before
    assert [file.name for file in target.parent.iterdir()] == ["target.db"]


def test_what_stands_in_the_write_ahead_log_alone_is_copied(
    target: Path, open_shadow: Callable[..., Any]
) -> None:
    with contextlib.closing(sqlite3.connect(target)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("INSERT INTO author VALUES (2, 'new', NULL)")
        writer.commit()
        with open_shadow(access(target)) as made:
            assert rows(made.to["path"], "SELECT count(*) FROM author") == [(2,)]


def test_a_file_that_is_not_there_yet_has_an_empty_shadow_and_is_not_made(
    tmp_path: Path, open_shadow: Callable[..., Any]
) -> None:
    file = tmp_path / "none.db"
    with open_shadow(access(file)) as made:
        assert rows(made.to["path"], "SELECT * FROM sqlite_master") == []
    assert not file.exists()


def test_a_database_that_is_too_large_is_not_copied_and_the_setting_is_named(
    target: Path, no_shadow: Callable[..., NotRehearsed]
) -> None:
    answer = no_shadow(access(target), megabytes=0.001)
    assert "at most 0.001 MB" in answer.reason
    assert "megabytes = 1" in answer.mend
    assert "policy.toml" in answer.mend


@pytest.mark.parametrize(
    ("protected", "real_rows", "copied"),
    [
        (True, "local", False),
        (False, "local", True),
        (True, "always", True),
        (False, "never", False),
    ],
)
def test_rows_are_copied_only_where_the_policy_says_so(
    target: Path, open_shadow: Callable[..., Any], real_rows: str, *, protected: bool, copied: bool
) -> None:
    with open_shadow(access(target), protected=protected, real_rows=real_rows) as made:
        file = Path(made.to["path"])
        assert (CANARY.encode() in file.read_bytes()) is copied
        assert made.shadow.real is copied
        assert CANARY not in str(made.shadow)


def test_made_up_rows_keep_to_the_constraints_and_the_version_is_the_targets(
    target: Path, open_shadow: Callable[..., Any]
) -> None:
    with open_shadow(access(target), protected=True) as made:
        file = made.to["path"]
        counts = {size.table: size.rows for size in made.shadow.sizes}
        assert rows(file, "PRAGMA foreign_key_check") == []
        assert rows(file, "PRAGMA integrity_check") == [("ok",)]
        assert rows(file, "SELECT version_num FROM alembic_version") == [("a1b2c3",)]
        assert rows(file, "SELECT count(*) FROM author WHERE born IS NULL") == [(1,)]
        assert rows(file, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == [("shout",)]
        assert rows(file, "SELECT name FROM sqlite_master WHERE name = 'ix_title'")
    assert {n: c for n, c in counts.items() if n != "alembic_version"} == {
        "author": 3,
        "book": 3,
        "tag": 3,
    }
    assert not made.shadow.whole
    assert "made up" in made.shadow.rows


def test_a_table_that_no_row_could_be_made_for_is_named(
    target: Path, open_shadow: Callable[..., Any]
) -> None:
    with contextlib.closing(sqlite3.connect(target)) as made:
        made.execute("CREATE TABLE odd (x TEXT NOT NULL CHECK (length(x) = 1234))")
        made.commit()
    with open_shadow(access(target), protected=True) as made:
        assert made.shadow.lacks == ("rows in odd: none could be made up",)


def test_what_is_no_database_gives_a_reason_and_leaves_nothing(
    tmp_path: Path, no_shadow: Callable[..., NotRehearsed], place: Path
) -> None:
    file = tmp_path / "no.db"
    file.write_text(f"{CANARY} " * 200)
    answer = no_shadow(access(file))
    assert "could not be copied" in answer.reason
    assert CANARY not in str(answer)
    assert list(place.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(
    target: Path, open_shadow: Callable[..., Any], place: Path
) -> None:
    code = f"""
import time, pathlib
from rulezero_policies.plan import DatabaseIdentity
from rulezero_server import shadows
from rulezero_server.shadows.wishes import Wishes
identity = DatabaseIdentity(dialect="sqlite", host=None, port=None, name="it", server_id=None)
with shadows.open({access(target)!r}, identity, Wishes(), protected=False,
                  folder=pathlib.Path({str(place)!r})) as made:
    print("there", flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"there"
    shadows.sweep(place)
    assert len(list(place.iterdir())) == 1, "its owner lives"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with open_shadow(access(target)) as made:
        shadows.sweep(place)
        assert [folder.name for folder in place.iterdir()] == [Path(made.to["path"]).parent.name]


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege elsewhere")
def test_sweeping_follows_no_link(place: Path, tmp_path: Path) -> None:
    (tmp_path / folders.LOCK).touch()
    link = place / f"{folders.PREFIX}x"
    link.symlink_to(tmp_path)
    shadows.sweep(place)
    assert (tmp_path / folders.LOCK).exists()
