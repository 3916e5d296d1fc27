"""Models and an `env.py` that write to the database as they are imported"""

from typing import Any

import pytest

from rulezero_policies.errors import RulezeroError

pytestmark = [
    pytest.mark.attack(
        stopped_by="while code is only read, every connection is read-only", level="client"
    ),
    pytest.mark.proves("D01", "C03", "D11"),
]

WRITES = (
    "\nimport os, sqlite3\n"
    "_c = sqlite3.connect(os.environ['DATABASE_URL'].partition('///')[2])\n"
    "_c.execute('DROP TABLE users')\n_c.commit()\n_c.close()\n"
)


@pytest.mark.parametrize("place", ["notes/models.py", "migrations/env.py"])
def test_importing_the_project_writes_nothing(real: Any, untouched: Any, place: str) -> None:
    file = real.folder / place
    file.write_text(file.read_text("utf-8") + WRITES, "utf-8")
    with untouched(real):
        try:
            said = real.reviewed().risk
        except RulezeroError as error:
            said = error.code
    assert said in {"CRITICAL", "ReadOnlyRefused"}
