"""The policy loosened in the project's own settings"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a project can only tighten the policy; a line that loosens it is "
        "refused by name",
        level="client",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]

LOOSER = {
    "approval.protected.SAFE": '[approval.protected]\nSAFE = "client"\n',
    "approval.local.CRITICAL": '[approval.local]\nCRITICAL = "client"\n',
    "approval.plan_minutes": "[approval]\nplan_minutes = 600\n",
    "approval.token_minutes": "[approval]\ntoken_minutes = 600\n",
    "approval.pin_attempts": "[approval]\npin_attempts = 20\n",
    "page": "[page]\nopen_browser = false\n",
    "reading": '[reading]\nprograms = ["sh"]\n',
    "store": '[store]\nurl = "sqlite:///here.db"\n',
}


def test_a_line_that_loosens_is_refused(real: Any, untouched: Any) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    with untouched(real):
        for name, line in LOOSER.items():
            (real.folder / "rulezero.toml").write_text(line, "utf-8")
            error = real.refused(found.plan_id, token)
            assert error.startswith(("PolicyLoosened", "UnreadableConfig"))
            assert name in error
