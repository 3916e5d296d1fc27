"""A PIN piped into `rulezero approve` and `rulezero enroll`"""

import os
import subprocess
import sys
from typing import Any

import pytest

from rulezero_server.approval import Argon2Hasher
from rulezero_tools import asking, enrolment

pytestmark = [
    pytest.mark.attack(stopped_by="a PIN is never read from a pipe", level="secret"),
    pytest.mark.proves("D04", "C03", "D11"),
]


@pytest.mark.parametrize("command", ["approve", "enroll"])
def test_a_pipe_is_no_terminal(real: Any, untouched: Any, tmp_path: Any, command: str) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    real.state = folder / "store.sqlite3"
    (real.folder / "rulezero.toml").write_text("[environments.development]\nprotected = true\n")
    session = real.session()
    if command == "approve":
        enrolment.enroll_pin(session.desk, Argon2Hasher(), "correct horse")
        found = real.reviewed()
        asking.open_question(session, found.plan_id or "", form=False)
    with untouched(real):
        done = subprocess.run(
            [sys.executable, "-m", "rulezero_server", command],
            input="a\ncorrect horse\ncorrect horse\n",
            env={**os.environ, "RULEZERO_STATE_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert "NoChannel" in done.stdout + done.stderr
    events = [e.event for e in session.store.entries()]
    assert "answered" not in events
    assert command == "approve" or "enrolled" not in events
