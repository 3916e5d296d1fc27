"""The worker's process: what it prints, how long it lasts, what it leaves behind."""

import ast
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import WorkerCrashed, WorkerTimeout
from rulezero_server import launch
from rulezero_server.project import WorkerProject

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]

WORKER = launch.WORKER.parent


def _on_load(folder: Path, edit: Edit, code: str) -> None:
    body = "".join(f"    {line}\n" for line in code.splitlines())
    edit(folder / "notes/__init__.py", "    return app", f"{body}    return app")


def _may_start_python(folder: Path) -> WorkerProject:
    project = WorkerProject.open(folder)
    allow = launch.Allow(programs=(sys.executable,))
    project.target = replace(project.target, allow=allow)
    return project


def test_what_user_code_prints_disturbs_nothing(copy_project: CopyProject, edit: Edit) -> None:
    folder = copy_project("flask_notes")
    _on_load(
        folder,
        edit,
        "import sys, subprocess\n"
        "print('{\"ok\": true}')\n"
        "sys.stderr.write('x' * 1_000_000)\n"
        "os.write(1, b'raw' * 100_000)\n"
        "os.write(2, b'raw' * 100_000)\n"
        "subprocess.run([sys.executable, '-c', 'print(1)'], check=True)\n"
        "sys.stdout.close()\n"
        "os.close(1)",
    )
    assert _may_start_python(folder).describe().heads == ("2b8e41f6a05c",)


def test_threads_that_never_end_do_not_hold_the_reply(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    _on_load(
        folder, edit, "import threading\nthreading.Thread(target=threading.Event().wait).start()"
    )
    assert WorkerProject.open(folder).describe().heads == ("2b8e41f6a05c",)


def test_a_project_that_does_not_answer_is_stopped_with_its_children(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    (folder / "rulezero.toml").write_text("timeout = 10\n", encoding="utf-8")
    grandchild = (
        "import pathlib, os, time; "
        f"pathlib.Path({str(folder / 'pid')!r}).write_text(str(os.getpid())); time.sleep(600)"
    )
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    _on_load(
        folder, edit, f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    )
    with pytest.raises(WorkerTimeout, match=r"did not answer `describe` within 10 s"):
        _may_start_python(folder).describe()
    assert not _is_alive(int((folder / "pid").read_text(encoding="utf-8")))


def test_what_outlives_an_answer_is_stopped_too(copy_project: CopyProject, edit: Edit) -> None:
    folder = copy_project("flask_notes")
    _on_load(
        folder,
        edit,
        "import pathlib, subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(folder / 'pid')!r}).write_text(str(p.pid))",
    )
    _may_start_python(folder).describe()
    assert not _is_alive(int((folder / "pid").read_text(encoding="utf-8")))


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped by its parent does not."""
    status = Path(f"/proc/{pid}/stat")
    if sys.platform == "linux":
        return status.exists() and status.read_text(encoding="utf-8").split()[2] != "Z"
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def test_a_process_that_ends_without_an_answer_is_named(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    _on_load(folder, edit, "os._exit(7)")
    with pytest.raises(WorkerCrashed, match=r"`describe` without an answer \(exit status 7\)"):
        WorkerProject.open(folder).describe()


@pytest.mark.parametrize("module", ["trace", "render", "errors", "secrets", "protocol", "tree"])
def test_nothing_of_the_worker_shadows_a_module_of_the_project(
    copy_project: CopyProject, edit: Edit, module: str
) -> None:
    folder = copy_project("flask_notes")
    (folder / f"{module}.py").write_text("MINE = True\n", encoding="utf-8")
    _on_load(
        folder,
        edit,
        f"import sys; sys.path.insert(0, {str(folder)!r}); sys.modules.pop({module!r}, None)\n"
        f"import {module}\nassert {module}.MINE\n"
        "assert not any('rulezero_server' in entry for entry in sys.path)",
    )
    assert WorkerProject.open(folder).describe().heads == ("2b8e41f6a05c",)


def test_the_app_sees_the_command_line_and_the_environment_it_would_see(
    copy_project: CopyProject, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_project("flask_notes")
    (folder / "prod.env").write_text('A="from file"\nB=file\n', encoding="utf-8")
    (folder / "rulezero.toml").write_text(
        '[environments.staging]\nenv_file = "prod.env"\nenv = {B = "table"}\n', encoding="utf-8"
    )
    monkeypatch.setenv("B", "outer")
    monkeypatch.setenv("C", "outer")
    _on_load(
        folder,
        edit,
        "import sys\n"
        "assert sys.argv[:2] == ['flask', 'db'], sys.argv\n"
        "assert os.environ['FLASK_RUN_FROM_CLI'] == 'true'\n"
        "assert [os.environ[k] for k in 'ABC'] == ['from file', 'table', 'outer']\n"
        f"assert os.getcwd() == {str(folder.resolve())!r}",
    )
    assert WorkerProject.open(folder, "staging").describe().heads == ("2b8e41f6a05c",)


@pytest.mark.parametrize(
    ("verb", "mode"),
    [
        ("describe", "running"),
        ("diff", "rehearsing"),
        ("access", "running"),
        ("rehearse", "reading"),
        ("rehearse", "running"),
        ("build", "reading"),
        ("build", "running"),
        ("listing", "rehearsing"),
        ("upgrade", "reading"),
        ("upgrade", "rehearsing"),
        ("downgrade", "reading"),
        ("eval", "reading"),
        ("eval", "running"),
    ],
)
def test_only_a_run_may_be_writable_and_only_known_verbs_exist(
    copy_project: CopyProject, verb: str, mode: Any
) -> None:
    target = WorkerProject.open(copy_project("alembic_shop")).target
    with pytest.raises(Exception, match="no such verb"):
        launch.ask(target, verb, {}, mode=mode)


def test_no_file_is_left_behind(
    copy_project: CopyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    folder = copy_project("alembic_shop")
    before = sorted(folder.rglob("*"))
    WorkerProject.open(folder).describe()
    assert list(private.iterdir()) == []
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("path", sorted(WORKER.rglob("*.py")), ids=lambda path: path.name)
def test_the_worker_is_python_of_version_3_9(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
