"""A revision that rewrites a file of the person's, policy.toml say, while it is reviewed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="a sandbox: programs, connections and SQLite files are refused, the "
        "rest of the file system is not",
        level="never",
    ),
    pytest.mark.proves("D04"),
]

CODE = """
import os
with open(os.path.join(os.environ['RULEZERO_CONFIG_DIR'], 'policy.toml'), 'w') as policy:
    policy.write('[approval]')
"""


def test_a_review_runs_the_code(
    real: Any, changed: Any, watched_file: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    policy = config / "policy.toml"
    policy.write_text('[approval]\nprotected_environments = ["development"]\n', "utf-8")
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(config))
    real.insert(CODE)
    with changed(watched_file(policy)):
        real.reviewed()
