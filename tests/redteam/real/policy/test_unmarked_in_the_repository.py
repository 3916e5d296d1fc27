"""An environment that the person protects, unmarked in the project's own settings"""

from typing import Any

import pytest

from rulezero_policies.errors import NoChannel
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="what the user's policy protects by name, no project can unprotect",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_the_persons_policy_counts(
    real: Any, untouched: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    text = '[approval]\nprotected_environments = ["production"]\n'
    (config / "policy.toml").write_text(text, "utf-8")
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(config))
    (real.folder / "rulezero.toml").write_text("[environments.production]\n", "utf-8")
    with untouched(real):
        found = real.reviewed()
        with pytest.raises(NoChannel, match="protected"):
            asking.open_question(real.session(), found.plan_id or "", form=True)
    assert "NoChannel" in real.last()
