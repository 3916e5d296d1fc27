"""The approved revision replaced by a link to another file"""

import os
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="the bytes are hashed, wherever the name leads", level="client"),
    pytest.mark.proves("D03", "C03", "D11"),
]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_link_to_other_bytes_is_another_plan(real: Any, untouched: Any, tmp_path: Any) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    other = tmp_path / "other.py"
    other.write_bytes(real.revision.read_bytes().replace(b"create_table", b"drop_table"))
    revision = real.revision
    revision.unlink()
    revision.symlink_to(other)
    with untouched(real):
        assert "changed" in real.refused(found.plan_id, token)
    assert "PlanStale" in real.last()
