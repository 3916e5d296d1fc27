"""DATABASE_URL led to another database between the yes and the run"""

import shutil
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="the database says itself who it is", level="client"),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_another_file_is_another_database(
    real: Any, untouched: Any, tmp_path: Any, watched_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    production = tmp_path / "production.sqlite"
    shutil.copy(real.file, production)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{production.as_posix()}")
    with untouched(real, watched_file(production)):
        assert "the database was" in real.refused(found.plan_id, token)
    assert "PlanStale" in real.last()
