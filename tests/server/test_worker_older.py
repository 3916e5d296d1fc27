"""The guard over SQLite on the Pythons that a project may have and the server has not."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("C03")

WORKER = Path(__file__).parents[2] / "server" / "rulezero_server"

SCRIPT = """
import sqlite3, sys
sys.path.insert(0, sys.argv[1])
path = sys.argv[2]
from worker import sqlite
sqlite.install()
here = sqlite3.connect(path)
assert here.execute("SELECT count(*) FROM notes").fetchall() == [(1,)]

class Attaches(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.execute("ATTACH '" + path + "' AS target")
        self.execute("DELETE FROM target.notes")
        self.commit()

class Elsewhere(sqlite3.Connection):
    def __init__(self, database, *args, **kwargs):
        super().__init__(path)
        self.execute("DELETE FROM notes")
        self.commit()

def write(connection):
    connection.execute("DELETE FROM notes")
    connection.commit()

tries = [
    lambda: sqlite3.connect(":memory:", factory=Attaches),
    lambda: sqlite3.connect(":memory:", factory=Elsewhere),
    lambda: sqlite3.connect(path, factory=Elsewhere),
    lambda: write(here),
    lambda: write(sqlite3.connect(path)),
    lambda: write(sqlite3.Connection(path)),
    lambda: write(sys.modules["_sqlite3"].connect(path)),
    lambda: write(sys.modules["_sqlite3"].Connection(path)),
    lambda: write(type(here).__mro__[2](path)),
    lambda: here.__init__(path),
]
for number, one in enumerate(tries):
    try:
        one()
    except Exception:
        continue
    print("went through:", number)
"""


def _here(version: str) -> str | None:
    found = shutil.which(f"python{version}")
    if not found:
        return None
    ran = subprocess.run([found, "-c", "import sqlite3"], capture_output=True, check=False)
    return None if ran.returncode else found


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14", "this one"])
def test_no_way_to_open_a_file_gets_around_the_guard(version: str, tmp_path: Path) -> None:
    python = sys.executable if version == "this one" else _here(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    target = tmp_path / "target.db"
    with contextlib.closing(sqlite3.connect(target)) as made:
        made.execute("CREATE TABLE notes (id)")
        made.execute("INSERT INTO notes VALUES (1)")
        made.commit()
    before = target.read_bytes()
    command = [python, "-c", SCRIPT, str(WORKER), str(target)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert target.read_bytes() == before
