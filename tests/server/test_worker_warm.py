"""Workers that are forked: as if each had been started, on its own, and gone in the end."""

import json
import os
import select
import signal
import site
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import WorkerCrashed
from rulezero_server import launch, processes, warm
from rulezero_server.project import WorkerProject

CopyProject = Callable[[str], Path]

pytestmark = pytest.mark.skipif(not warm.POSSIBLE, reason="this platform forks no worker")

SEEN = """
import gc, json, os, signal, sys, threading, types, warnings

def names(value):
    return sorted(
        f"{module.__name__}.{name}"
        for module in list(sys.modules.values()) if isinstance(module, types.ModuleType)
        for name, held in list(vars(module).items()) if held is value
    )

def closure(function):
    return [function.__module__, function.__qualname__, hasattr(function, "__wrapped__")]

import _sqlite3, alembic.command, alembic.util.pyfiles, sqlalchemy.engine.default, sqlalchemy.schema
import _posixsubprocess as starts
own = {
    "packages": sorted({name.partition(".")[0] for name in sys.modules}),
    "path": sys.path, "argv": sys.argv, "command": getattr(sys, "orig_argv", None),
    "flags": str(sys.flags), "main": sys.modules["__main__"].__file__,
    "finders": [getattr(f, "__name__", type(f).__name__) for f in sys.meta_path],
    "environment": dict(os.environ), "folder": os.getcwd(), "umask": os.umask(0o22),
    "leads": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
    "files": sorted(map(int, os.listdir("/proc/self/fd"))) if sys.platform == "linux" else [],
    "signals": [str(signal.getsignal(s)) for s in signal.valid_signals()],
    "threads": threading.active_count(), "warnings": str(warnings.filters),
    "encodings": [sys.getfilesystemencoding(), sys.stdout.encoding, sys.stderr.encoding],
    "collects": gc.isenabled(), "recursion": sys.getrecursionlimit(),
    "the real sqlite3.connect": names(_sqlite3.connect),
    "fork_exec": [starts.fork_exec.__qualname__, names(starts.fork_exec)],
    "guarded": [closure(f) for f in (
        alembic.command.upgrade, alembic.util.pyfiles.load_module_py,
        sqlalchemy.engine.default.DefaultDialect.connect, sqlalchemy.schema.MetaData.create_all,
        sqlalchemy.schema.Table.drop,
    )],
}
with open(os.path.join(os.path.dirname(__file__), "..", "seen"), "w") as file:
    json.dump(own, file)
"""


def _writes(folder: Path, code: str, name: str = "notes") -> None:
    """Have the project's package run `code` as it is imported."""
    file = folder / name / "__init__.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(textwrap.dedent(code) + text, encoding="utf-8")


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[processes.Start]:
    """Workers that were started plainly in this test."""
    found: list[processes.Start] = []
    start = processes.spawned

    def noted(given: processes.Start) -> processes.Worker:
        found.append(given)
        return start(given)

    monkeypatch.setattr(processes, "spawned", noted)
    return found


@pytest.fixture
def own_parents(monkeypatch: pytest.MonkeyPatch) -> Iterator[warm.Parents]:
    """Parents of this test alone."""
    mine = warm.Parents()
    monkeypatch.setattr(warm, "_PARENTS", mine)
    yield mine
    mine.close()


@pytest.mark.parametrize(("name", "package"), [("flask_notes", "notes"), ("alembic_shop", "shop")])
def test_what_a_project_sees_is_what_it_sees_in_a_process_that_was_started(
    copy_project: CopyProject,
    monkeypatch: pytest.MonkeyPatch,
    spawned: list[processes.Start],
    name: str,
    package: str,
) -> None:
    folder = copy_project(name)
    _writes(folder, SEEN, package)
    monkeypatch.setenv("SAID", "é\udcff =\n")
    monkeypatch.setenv("LANG", "C")  # for which Python sets a variable by itself
    seen: list[dict[str, Any]] = []
    for possible in (True, False):
        monkeypatch.setattr(warm, "POSSIBLE", possible)
        WorkerProject.open(folder).describe()
        seen.append(json.loads((folder / "seen").read_text(encoding="utf-8")))
        # The folder of the conversation has a name of its own.
        seen[-1]["command"] = [*seen[-1]["command"][:-1], Path(seen[-1]["command"][-1]).parent]
    assert len(spawned) == 1
    assert seen[0] == seen[1]


def test_nothing_of_one_conversation_is_there_in_the_next(
    copy_project: CopyProject, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    _writes(
        folder,
        """
        import builtins, os, sys
        assert not hasattr(builtins, "left") and "left" not in sys.modules
        assert "LEFT" not in os.environ and "left" not in sys.path
        builtins.left = sys.modules["left"] = sys
        os.environ["LEFT"] = os.environ["HOME"] = "1"
        sys.path.append("left")
        """,
    )
    project = WorkerProject.open(folder)
    for _ in range(3):
        assert project.describe().heads == ("2b8e41f6a05c",)
    assert spawned == []


def test_conversations_at_the_same_time_have_their_own_environments(
    copy_project: CopyProject, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    _writes(folder, "import os\nopen(os.environ['OWN'], 'x').write(os.environ['OWN'])\n")
    with ExitStack() as talking:
        for name in ("one", "two", "three"):
            project = WorkerProject.open(folder)
            variables = {"OWN": str(folder / name), "ONLY_" + name: "1"}
            project.target = replace(project.target, variables=variables)
            talking.enter_context(project.reading())
            talking.callback(project.describe)
    assert [(folder / n).read_text() for n in ("one", "two")] == [
        str(folder / "one"),
        str(folder / "two"),
    ]
    assert spawned == []


def test_after_a_worker_was_killed_the_next_is_forked_as_before(
    copy_project: CopyProject, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    code = (folder / "notes/__init__.py").read_text(encoding="utf-8")
    _writes(folder, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    with pytest.raises(WorkerCrashed, match=r"exit status -9"):
        WorkerProject.open(folder).describe()
    (folder / "notes/__init__.py").write_text(code, encoding="utf-8")
    assert WorkerProject.open(folder).describe().heads == ("2b8e41f6a05c",)
    assert spawned == []


@pytest.mark.usefixtures("own_parents")
def test_a_worker_whose_parent_was_killed_is_ended_all_the_same_and_another_parent_follows(
    copy_project: CopyProject, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    _writes(
        folder,
        """
        import os, subprocess, sys
        own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open("pids", "w") as file:
            file.write(f"{os.getppid()} {os.getpid()} {own.pid}")
        """,
    )
    project = WorkerProject.open(folder)
    allow = launch.Allow(programs=(sys.executable,))
    project.target = replace(project.target, allow=allow)
    with project.reading():
        project.describe()
        parent, child, started = _pids(folder / "pids")
        os.kill(parent, signal.SIGKILL)
        _await_end(parent)
        project.describe()
    _await_end(child)
    _await_end(started)
    project.describe()
    assert _pids(folder / "pids")[0] != parent
    assert spawned == []


def _only(parents: Any) -> Any:
    (place,) = parents._places.values()
    return place.parent


def test_workers_end_with_the_last_hold_on_their_parent(
    copy_project: CopyProject, own_parents: warm.Parents
) -> None:
    folder = copy_project("flask_notes")
    _writes(folder, "import os\nopen('pids', 'w').write(f'{os.getppid()} {os.getpid()}')\n")
    project = WorkerProject.open(folder)
    with project.reading():
        project.describe()
        _only(own_parents).forget()
        for pid in _pids(folder / "pids"):
            _await_end(pid)
        with pytest.raises(WorkerCrashed):
            project.describe()
    assert project.describe().heads == ("2b8e41f6a05c",)


def test_a_module_that_was_added_meanwhile_is_found(
    copy_project: CopyProject, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    (folder / "lib").mkdir()
    os.utime(folder / "lib", (1, 1))
    project = WorkerProject.open(folder)
    project.target = replace(project.target, variables={"PYTHONPATH": str(folder / "lib")})
    project.describe()
    (folder / "lib/added.py").write_text("", encoding="utf-8")
    os.utime(folder / "lib", (1, 1))  # as where two changes come within one tick of the clock
    _writes(folder, "import added\n")
    assert project.describe().heads == ("2b8e41f6a05c",)
    assert spawned == []


def _pids(file: Path) -> list[int]:
    return [int(word) for word in file.read_text(encoding="utf-8").splitlines()[-1].split()]


def _await_end(pid: int) -> None:
    """Wait until a process that may not be ours has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 20)[0], f"{pid} still runs"
    finally:
        os.close(handle)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there is nothing to wait on")
def test_nothing_is_left_of_a_server_that_was_killed(copy_project: CopyProject) -> None:
    folder = copy_project("flask_notes")
    _writes(
        folder,
        """
        import os, threading
        with open("pids.part", "w") as file:
            file.write(f"{os.getppid()} {os.getpid()}")
        os.rename("pids.part", "pids")
        open("ready", "w").close()
        threading.Event().wait()
        """,
    )
    os.mkfifo(folder / "ready")
    server = (
        "from pathlib import Path; from rulezero_server.project import WorkerProject; "
        f"WorkerProject.open(Path({str(folder)!r})).describe()"
    )
    process = subprocess.Popen([sys.executable, "-c", server])
    with (folder / "ready").open():  # opens when the worker has come that far
        parent, child = _pids(folder / "pids")
    assert len({process.pid, parent, child, os.getpid()}) == 4
    process.kill()
    process.wait(20)
    _await_end(parent)
    _await_end(child)


def test_neither_files_nor_threads_nor_processes_are_left_in_the_server(
    copy_project: CopyProject, own_parents: warm.Parents
) -> None:
    project = WorkerProject.open(copy_project("flask_notes"))
    project.describe()
    before = _held()
    for _ in range(3):
        project.describe()
    assert _held() == before


def _held() -> tuple[object, ...]:
    """Open files, and processes that wait to be reaped."""
    zombies = [
        state.parent.name
        for state in Path("/proc").glob("[0-9]*/stat")
        if state.read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
        == ["Z", str(os.getpid())]
    ]
    return len(list(Path("/proc/self/fd").glob("*"))), zombies


def test_a_module_that_shadows_a_package_is_the_projects_own_and_runs_nowhere_else(
    copy_project: CopyProject, spawned: list[processes.Start], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_project("flask_notes")
    theirs = folder / "vendored/itsdangerous.py"
    theirs.parent.mkdir()
    theirs.write_text(
        "import sys\nwith open('ran', 'a') as file:\n    file.write(sys.argv[0] + '\\n')\n"
        f"sys.path.insert(0, {site.getsitepackages()[0]!r})\n"
        "del sys.modules['itsdangerous']\n"
        "import itsdangerous\nitsdangerous.MINE = True\n",
        encoding="utf-8",
    )
    _writes(folder, "import itsdangerous\nassert itsdangerous.MINE\n")
    monkeypatch.setenv(
        "PYTHONPATH",
        os.pathsep.join([str(theirs.parent), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
    )
    assert WorkerProject.open(folder).describe().heads == ("2b8e41f6a05c",)
    assert (folder / "ran").read_text(encoding="utf-8").splitlines() == ["flask"]
    assert len(spawned) == 1


@pytest.mark.parametrize("name", ["flask.py", "dotenv/__init__.py", "queue.py"])
def test_a_module_in_the_projects_folder_is_found_as_if_nothing_had_been_imported(
    copy_project: CopyProject, spawned: list[processes.Start], name: str
) -> None:
    folder = copy_project("alembic_shop")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("MINE = True\n", encoding="utf-8")
    module = name.partition("/")[0].partition(".")[0]
    _writes(folder, f"import {module}\nassert {module}.MINE\n", "shop")
    assert WorkerProject.open(folder).describe().heads != ()
    assert spawned == []


@pytest.mark.parametrize("value", ["", "lib", ".", f"{os.sep}one{os.pathsep}lib"])
def test_folders_that_depend_on_where_python_is_started_are_left_to_a_plain_start(
    copy_project: CopyProject, spawned: list[processes.Start], value: str
) -> None:
    folder = copy_project("flask_notes")
    (folder / "lib").mkdir()
    (folder / "lib/relative.py").write_text("", encoding="utf-8")
    _writes(folder, "import relative\n" if "lib" in value else "")
    project = WorkerProject.open(folder)
    project.target = replace(project.target, variables={"PYTHONPATH": value})
    project.describe()
    assert len(spawned) == bool(value)


@pytest.fixture
def own_venv(tmp_path: Path) -> Path:
    """The packages of a virtual environment, in which those of the tests are found, too."""
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "all.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return packages


def _install(packages: Path, version: int) -> None:
    """A package that stands before the one of its name, and hands on what that has."""
    (packages / "markupsafe.py").write_text(
        f"import importlib.util, sys\nspec = importlib.util.spec_from_file_location('markupsafe', "
        f"{str(Path(site.getsitepackages()[0], 'markupsafe/__init__.py'))!r})\n"
        "module = sys.modules['markupsafe'] = importlib.util.module_from_spec(spec)\n"
        f"spec.loader.exec_module(module)\nmodule.INSTALLED = {version}\n",
        encoding="utf-8",
    )


def _with_python(project: WorkerProject, packages: Path) -> WorkerProject:
    python = replace(project.target.interpreter, path=packages.parents[2] / "bin/python")
    project.target = replace(project.target, interpreter=python)
    return project


@pytest.mark.usefixtures("own_parents")
def test_a_package_that_was_upgraded_is_the_one_that_is_used(
    copy_project: CopyProject, own_venv: Path, spawned: list[processes.Start]
) -> None:
    folder = copy_project("flask_notes")
    _writes(folder, "import markupsafe\nopen('used', 'w').write(str(markupsafe.INSTALLED))\n")
    project = _with_python(WorkerProject.open(folder), own_venv)
    for version in (1, 22):
        _install(own_venv, version)
        project.describe()
        assert (folder / "used").read_text(encoding="utf-8") == str(version)
        project.describe()
    assert spawned == []


@pytest.mark.usefixtures("own_parents")
def test_where_code_runs_as_the_interpreter_starts_each_worker_is_started(
    copy_project: CopyProject, own_venv: Path, spawned: list[processes.Start]
) -> None:
    (own_venv / "own.pth").write_text(
        "import os; os.environ['BY_PTH'] = os.environ.get('USED', '')\n"
    )
    folder = copy_project("flask_notes")
    _writes(folder, "import os\nassert os.environ['BY_PTH'] == os.environ['USED'] != ''\n")
    project = _with_python(WorkerProject.open(folder), own_venv)
    for used in ("one", "two"):
        project.target = replace(project.target, variables={"USED": used})
        project.describe()
    assert len(spawned) == 2


@pytest.mark.usefixtures("own_parents")
def test_a_program_that_only_chooses_the_interpreter_chooses_each_time(
    copy_project: CopyProject, tmp_path: Path, spawned: list[processes.Start]
) -> None:
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    project = WorkerProject.open(copy_project("flask_notes"))
    python = replace(project.target.interpreter, path=shim)
    project.target = replace(project.target, interpreter=python)
    project.describe()
    assert len(spawned) == 1


@pytest.mark.proves("A01")
def test_a_run_is_never_forked(
    copy_project: CopyProject, spawned: list[processes.Start], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = WorkerProject.open(copy_project("alembic_shop")).target
    with launch.conversation(target) as talk:
        for mode in ("running", "reading", "rehearsing"):
            with pytest.raises(Exception, match="no such verb"):
                talk.ask("upgrade", {}, mode=mode)
    assert spawned == []
    with pytest.raises(Exception, match="no such verb"):
        launch.ask(target, "describe", {}, mode="running")
    assert len(spawned) == 1


@pytest.mark.parametrize("flavour", ["alembic", "flask-migrate"])
def test_the_imports_heed_no_variable_but_those_that_make_a_parent(flavour: str) -> None:
    spy = f"""
import os, sys
sys.argv = [{str(launch.WORKER)!r}]
main = {{"__name__": "door", "__file__": sys.argv[0]}}
exec(open(sys.argv[0]).read(), main)
main["_load"]()
asked = set()
class Spy(type(os.environ)):
    def __getitem__(self, name):
        asked.add(name)
        return super().__getitem__(name)
    def __iter__(self):
        asked.add("all of them")
        return super().__iter__()
os.environ.__class__ = Spy
from _rulezero_worker import fit
fit.prepare({flavour!r})
print(*asked)
"""
    done = subprocess.run([sys.executable, "-c", spy], capture_output=True, text=True, check=True)
    asked = set(done.stdout.split()) - {"USERPROFILE"}
    assert warm.starting(dict.fromkeys(asked, "")).keys() == asked != set()


def test_a_parent_that_nobody_asks_ends_by_itself() -> None:
    idle = f"""
import sys
sys.argv = [{str(launch.WORKER)!r}]
main = {{"__name__": "door", "__file__": sys.argv[0]}}
exec(open(sys.argv[0]).read(), main)
main["_load"]()
from _rulezero_worker import warm
warm.IDLE = 0
warm.serve("alembic")
"""
    ours, theirs = warm.socket.socketpair()
    with ours:
        process = subprocess.Popen([sys.executable, "-c", idle], stdin=theirs.fileno())
        theirs.close()
        assert process.wait(60) == 0
