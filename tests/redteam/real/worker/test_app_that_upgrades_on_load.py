"""An application that runs its own migrations as it is loaded"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what migrates or creates tables while the app loads does nothing, and "
        "is reported",
        level="client",
    ),
    pytest.mark.proves("D01", "C03", "D11"),
]


def test_loading_the_app_migrates_nothing(starting: Any, untouched: Any) -> None:
    with untouched(starting):
        found = starting.reviewed()
        token = starting.said_yes(found.plan_id)
    assert any("Rule 0 hole" in w or "upgrade" in w for w in found.warnings)
    with untouched(starting):
        assert "TokenRefused" in starting.refused(found.plan_id, token[:-1] + "x")
