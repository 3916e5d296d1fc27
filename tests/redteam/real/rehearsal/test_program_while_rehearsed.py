"""A revision that starts a program while it is rehearsed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="in a rehearsal code starts no program, and what it tried is told",
        level="client",
    ),
    pytest.mark.proves("D01", "D02", "D11"),
]

SHELLS = """
import subprocess, sys
for start in (
    lambda: os.system("alembic upgrade head"),
    lambda: subprocess.run("alembic upgrade head", shell=True),
    lambda: subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"]),
):
    attempt(start)
"""


def test_no_program_is_started(scene: Any, untouched: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(SHELLS)
    programs = [line for line in saw.refused if line.startswith("program ")]
    assert len(programs) == 3
    assert all("migrations/versions/a1.py" in line for line in programs)
