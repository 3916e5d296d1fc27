"""A revision that runs `flask db upgrade` in a shell while it is reviewed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="while code is only read it starts no program, and what it tried is CRITICAL",
        level="client",
    ),
    pytest.mark.proves("D01", "C03", "D11"),
]

SHELLS = """
import os, subprocess, sys
for start in (
    lambda: os.system('flask db upgrade'),
    lambda: subprocess.run('flask db upgrade', shell=True),
    lambda: subprocess.run([sys.executable, '-m', 'flask', 'db', 'upgrade']),
):
    try:
        start()
    except OSError:
        pass
"""


def test_no_program_is_started_by_what_is_read(
    real: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_APP", "notes:create_app")
    real.insert(SHELLS)
    with untouched(real):
        found = real.reviewed()
    assert found.risk == "CRITICAL"
    assert found.verdict != "SAFE"
    assert any(f.rule == "reaches-out" for f in found.findings)
