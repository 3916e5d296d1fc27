"""The classes and files of a real project, and what analyze and review say of their uses."""

from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.operations import Column, Operation
from rulezero_policies.references import targets
from rulezero_policies.usage import find
from rulezero_server import sources
from rulezero_server.project import WorkerProject


@pytest.fixture
def notes(copy_project: Any, to_head: Any) -> Path:
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    return folder


@pytest.mark.proves("A10")
def test_the_worker_knows_which_class_maps_which_table(notes: Path) -> None:
    found = {m.name: m for m in WorkerProject.open(notes).models()}
    assert found["User"].table == "users"
    assert ("email", "email") in found["User"].attributes


def test_migrations_environments_and_what_was_installed_are_left_out(tmp_path: Path) -> None:
    for name in (
        "app/a.py",
        "app/build/__init__.py",
        "templates/a.html",
        "migrations/versions/b.py",
        "node_modules/c.py",
        "venv/lib/d.py",
        "my-env/pyvenv.cfg",
        "my-env/e.py",
        ".git/f.py",
        "notes.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "huge.sql").write_bytes(b"x" * (sources.MOST_BYTES + 1))
    found = sources.read(tmp_path, frozenset({tmp_path / "migrations"}))
    assert [f.path for f in found.files] == [
        "app/a.py",
        "app/build/__init__.py",
        "templates/a.html",
    ]
    assert found.left_out == 1


def test_every_use_in_a_large_tree_is_counted(tmp_path: Path) -> None:
    lines = "\n".join(f"def view_{n}(user):\n    return user.email, form.email" for n in range(9))
    for n in range(1000):
        (tmp_path / f"views_{n}.py").write_text(f"from models import User\n{lines}\n")
    drop = Operation(kind="drop_column", table="users", column=Column(name="email", type="TEXT"))
    found = find(targets((drop,)), sources.read(tmp_path, frozenset()))
    assert found.total == 9_000
