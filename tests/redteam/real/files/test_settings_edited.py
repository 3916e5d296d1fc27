"""rulezero.toml edited after the yes, to lead the run elsewhere"""

import shutil
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the database that the settings lead to is compared", level="client"
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_settings_lead_the_run_nowhere_else(
    real: Any, untouched: Any, tmp_path: Any, watched_file: Any
) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    other = tmp_path / "other.sqlite"
    shutil.copy(real.file, other)
    settings = real.folder / "rulezero.toml"
    settings.write_text(
        f'[environments.development.env]\nDATABASE_URL = "sqlite:///{other.as_posix()}"\n', "utf-8"
    )
    with untouched(real, watched_file(other)):
        assert "the database was" in real.refused(found.plan_id, token)
    assert "PlanStale" in real.last()
