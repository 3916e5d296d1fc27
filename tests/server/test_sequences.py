"""The files of a sequence, as the worker writes them into a real project."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_server import launch
from rulezero_server.project import WorkerProject
from rulezero_tools.shapes import PhaseFile

pytestmark = pytest.mark.proves("A15")

HOOKS = """
[post_write_hooks]
hooks = tidy
tidy.type = exec
tidy.executable = no-such-formatter
"""


def phase(name: str) -> PhaseFile:
    line = ('op.execute("SELECT 1")',)
    return PhaseFile(message=name, doc=name, upgrade=line, downgrade=line, end=f'said = "{name}"\n')


def test_hooks_that_are_left_out_are_named(copy_project: Any, to_head: Any) -> None:
    folder = copy_project("alembic_shop")
    to_head(folder)
    with (folder / "alembic.ini").open("a", encoding="utf-8") as ini:
        ini.write(HOOKS)
    project = WorkerProject.open(folder)
    project.target = replace(project.target, allow=launch.Allow(write_hooks=True))
    first, second = project.write_sequence((phase("one"), phase("two")), ())
    text = (folder / second.path).read_text("utf-8")
    assert f"Revises: {first.revision}" in text
    assert text.endswith('said = "two"\n')
    assert "hooks of the project were not run: tidy." in (first.note or "")
    assert second.note is None
