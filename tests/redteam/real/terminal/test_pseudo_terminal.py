"""`rulezero approve` answered by a program through a pseudo-terminal"""

import re
import sys
from typing import Any

import pytest

from rulezero_server.app import App, person
from rulezero_server.approval import Argon2Hasher
from rulezero_tools import asking, enrolment

pytestmark = [
    pytest.mark.attack(
        stopped_by="the terminal asks for the PIN, and counts what is wrong", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]

pexpect = pytest.importorskip("pexpect", reason="pseudo-terminals are POSIX's")


def test_a_program_at_a_terminal_knows_no_pin(
    real: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    real.state = folder / "store.sqlite3"
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(folder))
    (real.folder / "rulezero.toml").write_text("[environments.development]\nprotected = true\n")
    session = real.session()
    enrolment.enroll_pin(session.desk, Argon2Hasher(), "correct horse")
    found = real.reviewed()
    asking.open_question(session, found.plan_id or "", form=False)
    with untouched(real):
        screen = pexpect.spawn(
            sys.executable,
            ["-m", "rulezero_server", "approve"],
            encoding="utf-8",
            timeout=60,
            dimensions=(50, 120),
        )
        screen.expect(re.escape("pprove, "))
        screen.sendline("a")
        for guess in ("000000", "123456", person()):
            screen.expect("PIN: ")
            screen.sendline(guess)
        screen.expect(pexpect.EOF)
        screen.close()
        assert screen.exitstatus != 0
        plan, challenge = asking.open_question(session, found.plan_id or "", form=False)
        assert asking.collect(session, plan, challenge) is None
    kept = App(real.folder, store=session.store).desk().store.pin(person())
    assert kept is not None
    assert kept.failures == 3
