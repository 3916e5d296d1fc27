"""A project opened through a link that is bent to another copy after the yes"""

import os
import shutil
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a project is known by its resolved folder", level="client"),
    pytest.mark.proves("D03", "C03", "D11"),
]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_bent_link_is_another_project(real: Any, untouched: Any, tmp_path: Any) -> None:
    copy, link = tmp_path / "copy", tmp_path / "link"
    shutil.copytree(real.folder, copy)
    link.symlink_to(real.folder, target_is_directory=True)
    found = real.reviewed(link)
    token = real.said_yes(found.plan_id)
    link.unlink()
    link.symlink_to(copy, target_is_directory=True)
    with untouched(real):
        assert "UnknownPlan" in real.refused(found.plan_id, token, link)
    assert "UnknownPlan" in real.last()
