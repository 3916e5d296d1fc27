"""A revision that does one thing when it is recorded and another when it runs"""

import sqlite3
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="reading the revision: a program that tells a reading from a run can "
        "show the one and do the other",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_what_is_recorded_need_not_be_what_runs(real: Any, changed: Any) -> None:
    code = "import sys\nif not any('trace' in m for m in sys.modules if 'worker' in m):\n"
    real.insert(code + "    op.execute(\"INSERT INTO users (email) VALUES ('x')\")")
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    with changed(real):
        assert real.applied(found.plan_id, token).status == "applied"
    assert found.risk != "CRITICAL"
    with sqlite3.connect(real.file) as database:
        assert database.execute("SELECT email FROM users").fetchall() == [("x",)]
