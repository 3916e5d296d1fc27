"""A revision that reaches for the target's SQLite file while it is rehearsed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="in a rehearsal the file's name leads to the shadow, no file is attached, and "
        "nobody opens one to write to it",
        level="client",
    ),
    pytest.mark.proves("D01", "D02", "D11"),
]

BY_NAME = """
import sqlite3
path = os.environ["DATABASE_URL"].partition("///")[2]
direct = sqlite3.connect(path)
direct.execute("CREATE TABLE mine (a)")
direct.close()
again = sqlite3.connect(f"file:{path}?mode=rwc&vfs=unix-none", uri=True)
again.execute("CREATE TABLE yours (a)")
again.close()
"""

AROUND = """
import sqlite3, pathlib
path = os.environ["DATABASE_URL"].partition("///")[2]
other = path + ".other"
bind = op.get_bind().connection.driver_connection
for statement in (
    f"ATTACH '{path}' AS target",
    f"ATTACH 'file:{path}?mode=rw' AS target",
    f"VACUUM INTO '{other}'",
    "SELECT load_extension('x')",
):
    failed = attempt(bind.execute, statement)
    op.execute(f"INSERT INTO told VALUES (0, {isinstance(failed, Exception)})")
for write in (
    lambda: pathlib.Path(path).write_bytes(b""),
    lambda: os.truncate(path, 0),
    lambda: os.unlink(path),
    lambda: os.replace(__file__, path),
    lambda: pathlib.Path(path + "-journal").write_bytes(b"x"),
    lambda: bind.set_authorizer(None) or bind.execute(f"ATTACH '{path}' AS target"),
):
    failed = attempt(write)
    op.execute(f"INSERT INTO told VALUES (1, {isinstance(failed, Exception)})")
"""

BY_A_CLASS = """
import sqlite3
path = os.environ["DATABASE_URL"].partition("///")[2]

class Attaches(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.execute(f"ATTACH '{path}' AS target")
        self.execute("DELETE FROM target.notes")
        self.commit()

class Elsewhere(sqlite3.Connection):
    def __init__(self, database, *args, **kwargs):
        super().__init__(path)
        self.execute("DELETE FROM notes")
        self.commit()

class Again(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        super().__init__(f"file:{path}?mode=rw", uri=True)
        self.execute("DELETE FROM notes")
        self.commit()

class Below(sqlite3.Connection):
    def __init__(self, database, *args, **kwargs):
        sqlite3.Connection.__mro__[-2].__init__(self, database, uri=True)
        self.execute(f"ATTACH '{path}' AS target")
        self.execute("DELETE FROM target.notes")
        self.commit()

for kind in (Attaches, Elsewhere, Again, Below):
    for database in (path, ":memory:", path + ".none"):
        failed = attempt(sqlite3.connect, database, factory=kind)
        op.execute(f"INSERT INTO told VALUES (0, {isinstance(failed, Exception)})")
bind = op.get_bind().connection.driver_connection
failed = attempt(lambda: bind.__init__(path))
op.execute(f"INSERT INTO told VALUES (1, {isinstance(failed, Exception)})")
"""


def test_the_files_name_leads_to_the_shadow(scene: Any, untouched: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(BY_NAME)
    assert {"mine", "yours"} <= {thing.name for thing in saw.there}


def test_no_class_of_connections_gets_around_it(scene: Any, untouched: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(BY_A_CLASS)
    tries = [one.sql for one in saw.sent if one.leg == "upgrade" and "told VALUES" in one.sql]
    assert len(tries) == 13
    assert all(one.endswith("True)") for one in tries), tries


def test_no_way_around_reaches_the_file(scene: Any, untouched: Any, tmp_path: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(AROUND)
    assert saw.upgrade == "ok"
    tries = [one.sql for one in saw.sent if one.leg == "upgrade" and "told VALUES" in one.sql]
    assert len(tries) == 10
    assert all(one.endswith("True)") for one in tries), tries
    assert any("an SQLite file, to change it" in line for line in saw.refused)
    assert not list(tmp_path.glob("*.other"))
