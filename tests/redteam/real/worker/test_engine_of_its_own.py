"""A revision that opens an engine of its own while it is reviewed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="while code is only read, no connection of its own reaches a database, "
        "and what it tried is CRITICAL",
        level="client",
    ),
    pytest.mark.proves("D01", "C03", "D11"),
]

ENGINES = {
    "sqlalchemy": "import os\nengine = sa.create_engine(os.environ['DATABASE_URL'])\n"
    "with engine.begin() as c:\n    c.execute(sa.text('DROP TABLE users'))",
    "sqlite3": "import os, sqlite3\n"
    "c = sqlite3.connect(os.environ['DATABASE_URL'].partition('///')[2])\n"
    "c.execute('DROP TABLE users')\nc.commit()\nc.close()",
    "attach": "op.execute('PRAGMA query_only = OFF')\n"
    "op.get_bind().exec_driver_sql('DROP TABLE users')",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_of_its_own_changes_nothing(real: Any, untouched: Any, engine: str) -> None:
    real.insert(ENGINES[engine])
    with untouched(real):
        found = real.reviewed()
    assert found.verdict != "SAFE"
    assert found.risk == "CRITICAL" or engine == "attach"
