"""Another database put under the approved one's name"""

import shutil
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="an SQLite file is known by its device and inode, not only by its name",
        level="client",
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_another_file_of_the_same_name_is_another_database(
    real: Any, untouched: Any, tmp_path: Any
) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    other = tmp_path / "other.sqlite"
    shutil.copy(real.file, other)
    other.replace(real.file)
    with untouched(real):
        assert "the database was" in real.refused(found.plan_id, token)
    assert "PlanStale" in real.last()
