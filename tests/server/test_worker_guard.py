"""Code that is only read starts no program and reaches no database but its own."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rulezero_policies.errors import AppLoadError
from rulezero_policies.findings import Finding
from rulezero_server import launch
from rulezero_server.app import App
from rulezero_server.project import WorkerProject
from rulezero_tools.analyze import analyze
from rulezero_tools.review import review_files

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]
Snapshot = Callable[[str], object]
ToHead = Callable[..., None]

ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="there is no such call")

FIRST = "4c11a0b7d2e8"

REVISION = f'''
import sqlalchemy as sa
from alembic import op

revision = "5d22b1c8e3f9"
down_revision = "{FIRST}"


def upgrade():
    op.add_column("products", sa.Column("colour", sa.String(9), nullable=True))
    try:
{{body}}
    except OSError:
        pass


def downgrade():
    op.drop_column("products", "colour")
'''

COMMAND = f"[sys.executable, '-m', 'alembic', 'upgrade', '{FIRST}']"

SHELLS_OUT = {
    "subprocess": f"import subprocess, sys\nsubprocess.run({COMMAND})",
    "os.system": f"import os, sys\nos.system(' '.join({COMMAND}))",
    "a shell": f"import subprocess, sys\nsubprocess.run(' '.join({COMMAND}), shell=True)",
    "asyncio": (
        "import asyncio, sys\n"
        "async def start():\n"
        f"    await (await asyncio.create_subprocess_exec(*{COMMAND})).wait()\n"
        "asyncio.run(start())"
    ),
}

SHELLS_OUT_ON_POSIX = {
    "fork and exec": (
        f"import os, sys\npid = os.fork()\nif pid == 0:\n    os.execv(sys.executable, {COMMAND})\n"
        "os.waitpid(pid, 0)"
    ),
    "posix_spawn": (
        "import os, sys\n"
        f"os.waitpid(os.posix_spawn(sys.executable, {COMMAND}, dict(os.environ)), 0)"
    ),
    "pty": f"import pty, sys\npty.spawn({COMMAND})",
    "multiprocessing": (
        "import multiprocessing, os, sys\n"
        "context = multiprocessing.get_context('spawn')\n"
        f"context.Process(target=os.system, args=(' '.join({COMMAND}),)).start()"
    ),
    "a fork server": (
        "import multiprocessing, os, sys\n"
        "context = multiprocessing.get_context('forkserver')\n"
        f"context.Process(target=os.system, args=(' '.join({COMMAND}),)).start()"
    ),
    "below subprocess": (
        "import os, sys\nfrom multiprocessing import util\n"
        f"words = [os.fsencode(word) for word in {COMMAND}]\n"
        "os.waitpid(util.spawnv_passfds(words[0], words, ()), 0)"
    ),
    "ctypes": f"import ctypes, sys\nctypes.CDLL(None).system(' '.join({COMMAND}).encode())",
}


@pytest.fixture
def shop(copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The plain Alembic sample, its database not made yet."""
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    return copy_project("alembic_shop")


def adds(folder: Path, code: str) -> None:
    """A revision whose upgrade() runs `code`, and goes on when that is refused."""
    body = "".join(f"        {line}\n" for line in code.splitlines())
    path = folder / "migrations/versions/5d22b1c8e3f9_colour.py"
    path.write_text(REVISION.format(body=body.rstrip("\n")), encoding="utf-8")


def found(folder: Path) -> list[Finding]:
    """What the review says of code that reaches out."""
    (result,) = review_files(App(folder).session(None, client="test"))
    # On the shadow some of it happens: what follows from that is the rehearsal's to say.
    assert result.verdict in {"NEEDS_CHANGES", "UNSAFE"}
    assert result.risk == "CRITICAL"
    return [f for f in result.findings if f.rule == "reaches-out"]


@pytest.mark.proves("C03", "D01")
@pytest.mark.parametrize("way", SHELLS_OUT)
def test_a_revision_that_shells_out_while_it_is_reviewed_starts_nothing(
    shop: Path, way: str
) -> None:
    adds(shop, SHELLS_OUT[way])
    (finding,) = found(shop)
    assert finding.severity == "CRITICAL"
    assert finding.evidence.startswith("migrations/versions/5d22b1c8e3f9_colour.py, line ")
    assert "starts a program (`python" in finding.evidence
    assert "alembic upgrade" in finding.evidence
    assert not (shop / "shop.db").exists()


@ON_POSIX
@pytest.mark.proves("C03", "D01")
@pytest.mark.parametrize("way", SHELLS_OUT_ON_POSIX)
def test_a_revision_that_starts_a_process_by_a_side_door_starts_nothing(
    shop: Path, way: str
) -> None:
    adds(shop, SHELLS_OUT_ON_POSIX[way])
    (finding, *_) = found(shop)
    assert finding.severity == "CRITICAL"
    assert finding.evidence.startswith("migrations/versions/5d22b1c8e3f9_colour.py, line ")
    assert "starts a program" in finding.evidence
    assert not (shop / "shop.db").exists()


def test_what_is_reported_of_a_command_holds_no_secret(shop: Path) -> None:
    adds(shop, "import subprocess\nsubprocess.run(['psql', '-phunter2', 'hunter3', '--x=hunter4'])")
    (finding,) = found(shop)
    assert "(`psql … … …`)" in finding.evidence
    assert "hunter" not in finding.evidence


def test_env_py_that_shells_out_is_named(shop: Path, edit: Edit, to_head: ToHead) -> None:
    to_head(shop)
    edit(
        shop / "migrations/env.py",
        "config = context.config\n",
        "config = context.config\nimport contextlib, subprocess\n"
        "with contextlib.suppress(OSError):\n    subprocess.run(['alembic', 'upgrade', 'head'])\n",
    )
    result = analyze(App(shop).session(None, client="test"))
    (finding,) = [f for f in result.breaking if f.rule == "reaches-out"]
    assert finding.evidence == (
        "migrations/env.py, line 12, starts a program (`alembic upgrade head`) while it is only "
        "read; it was refused"
    )
    assert result.risk == "CRITICAL"


def test_an_app_that_goes_on_without_its_program_is_read(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    code = (
        "    import subprocess\n"
        "    try:\n        app.config['VERSION'] = subprocess.check_output(['git', 'rev-parse'])\n"
        "    except OSError:\n        pass\n"
    )
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    seen = WorkerProject.open(folder).describe()
    (tried,) = seen.interceptions
    assert (tried.kind, tried.call, tried.file) == ("program", "git rev-parse", "notes/__init__.py")
    assert seen.guard.startswith("audit hook")


def test_an_app_that_needs_its_program_is_told_how_to_allow_it(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    code = "    import subprocess\n    subprocess.run(['git', 'status'])\n"
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    with pytest.raises(AppLoadError, match=r'programs = \["git"\] under \[reading\]'):
        WorkerProject.open(folder).describe()


def test_only_the_program_that_the_policy_names_may_start(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    code = (
        "    import subprocess, sys\n    subprocess.run([sys.executable, '-V'], check=True)\n"
        "    try:\n        subprocess.run(['true'])\n    except OSError:\n        pass\n"
    )
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    project = WorkerProject.open(folder)
    project.target = replace(project.target, allow=launch.Allow(programs=(sys.executable,)))
    assert [i.call for i in project.describe().interceptions] == ["true"]


PROBES = [
    "import platform; platform.uname().processor; platform.platform(); platform.architecture()",
    "import uuid; uuid.getnode(); uuid.uuid1()",
    "import socket; socket.gethostname(); socket.getaddrinfo('localhost', 80)",
    "import ctypes.util; ctypes.util.find_library('c')",
    "import importlib.metadata; importlib.metadata.version('flask')",
    "import asyncio; asyncio.run(asyncio.sleep(0))",
    "import socket; a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'",
    "import multiprocessing; multiprocessing.get_context('spawn').Lock()",
    "import concurrent.futures as f; assert f.ThreadPoolExecutor().submit(len, 'ab').result() == 2",
    "import logging.handlers as h; h.SysLogHandler().emit(h.logging.makeLogRecord({'msg': 'x'}))",
]


def test_what_only_finds_out_about_the_machine_is_not_reported(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    code = "".join(f"    {probe}\n" for probe in PROBES)
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    assert WorkerProject.open(folder).describe().interceptions == ()


@pytest.mark.skipif(sys.platform != "linux", reason="a library that is surely there")
def test_a_library_is_found_without_starting_a_program(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    code = (
        "    import ctypes.util\n    assert ctypes.CDLL(ctypes.util.find_library('c')).getpid()\n"
    )
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    assert WorkerProject.open(folder).describe().interceptions == ()


def test_a_request_over_the_network_while_loading_is_refused_and_named(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        code = (
            "    import urllib.request\n    try:\n"
            f"        urllib.request.urlopen('http://127.0.0.1:{port}/flags?token=hunter2')\n"
            "    except OSError:\n        pass\n"
        )
        edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
        (tried,) = WorkerProject.open(folder).describe().interceptions
        assert (tried.kind, tried.call) == ("connection", f"127.0.0.1:{port}")
        with pytest.raises(TimeoutError):
            server.accept()
        project = WorkerProject.open(folder)
        allow = launch.Allow(hosts=(f"localhost:{port}",))
        project.target = replace(project.target, allow=allow, timeout=10)
        code_now = (folder / "notes/__init__.py").read_text(encoding="utf-8")
        socket_only = code_now.replace(
            f"urllib.request.urlopen('http://127.0.0.1:{port}/flags?token=hunter2')",
            f"__import__('socket').create_connection(('127.0.0.1', {port})).close()",
        )
        (folder / "notes/__init__.py").write_text(socket_only, encoding="utf-8")
        assert project.describe().interceptions == ()
        server.accept()[0].close()


@pytest.mark.proves("C03")
def test_a_post_write_hook_does_not_run_when_a_revision_is_written(
    shop: Path, to_head: ToHead
) -> None:
    to_head(shop)
    with (shop / "alembic.ini").open("a", encoding="utf-8") as ini:
        ini.write(
            "\n[post_write_hooks]\nhooks = tidy\ntidy.type = exec\n"
            f"tidy.executable = {sys.executable}\ntidy.options = -m alembic upgrade head\n"
        )
    models = shop / "shop/models.py"
    text = models.read_text(encoding="utf-8")
    models.write_text(
        text.replace("    price =", "    colour = Column(String(9))\n    price ="), encoding="utf-8"
    )
    before = (shop / "shop.db").read_bytes()
    made = WorkerProject.open(shop).generate("add colour")
    assert (shop / made.path).is_file()
    assert "were not run: tidy" in (made.note or "")
    assert "write_hooks = true under [reading]" in (made.note or "")
    assert (shop / "shop.db").read_bytes() == before


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine not in {"x86_64", "aarch64"},
    reason="the kernel has no such filter",
)
@pytest.mark.proves("C03")
def test_the_kernel_keeps_what_an_audit_hook_does_not_see_from_starting_a_program(
    copy_project: CopyProject, edit: Edit
) -> None:
    folder = copy_project("flask_notes")
    number = 59 if os.uname().machine == "x86_64" else 221
    code = (
        "    import ctypes\n"
        "    libc = ctypes.CDLL(None, use_errno=True)\n"
        "    words = (ctypes.c_char_p * 2)(b'/bin/sh', None)\n"
        f"    assert libc.syscall({number}, b'/bin/sh', words, None) == -1\n"
        "    assert ctypes.get_errno() == 1\n"
    )
    edit(folder / "notes/__init__.py", "    return app", f"{code}    return app")
    assert WorkerProject.open(folder).describe().guard == "audit hook and seccomp"


OWN = "import os, psycopg\nurl = os.environ['DATABASE_URL'].replace('+psycopg', '')\n"

WRITES_BESIDE = {
    "options": (
        OWN + "with psycopg.connect(url, options='-c default_transaction_read_only=off') as c:\n"
        "    c.execute('CREATE TABLE sneaked (a INT)')"
    ),
    "an attribute": (
        OWN + "c = psycopg.connect(url)\nc.read_only = False\n"
        "c.execute('CREATE TABLE sneaked (a INT)')\nc.commit()"
    ),
    "a statement": (
        OWN + "c = psycopg.connect(url)\nc.execute('SET TRANSACTION READ/**/WRITE')\n"
        "c.execute('CREATE TABLE sneaked (a INT)')\nc.commit()"
    ),
    "a function": (
        OWN + "c = psycopg.connect(url)\n"
        "c.execute(\"SELECT set_config('default_' || 'transaction_read_only', 'off', false)\")\n"
        "c.commit()\nc.execute('CREATE TABLE sneaked (a INT)')\nc.commit()"
    ),
    "a name in other letters": (
        OWN + "c = psycopg.connect(url)\n"
        "c.execute(r'SET U&\"default_transaction_re\\0061d_only\" = off')\n"
        "c.commit()\nc.execute('CREATE TABLE sneaked (a INT)')\nc.commit()"
    ),
    "an engine of its own": (
        "import os\nwith sa.create_engine(os.environ['DATABASE_URL']).begin() as c:\n"
        "    c.execute(sa.text('CREATE TABLE sneaked (a INT)'))"
    ),
    "a raw connection": (
        "import os\nc = sa.create_engine(os.environ['DATABASE_URL']).raw_connection()\n"
        "k = c.cursor()\nk.execute('SET TRANSACTION READ WRITE')\n"
        "k.execute('CREATE TABLE sneaked (a INT)')\nc.commit()"
    ),
}


@pytest.mark.proves("C03", "D01")
@pytest.mark.parametrize("way", WRITES_BESIDE)
def test_a_revision_that_writes_beside_the_migration_writes_nothing_and_is_named(
    shop: Path,
    snapshot: Snapshot,
    to_head: ToHead,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    to_head(shop)
    adds(shop, WRITES_BESIDE[way])
    path = shop / "migrations/versions/5d22b1c8e3f9_colour.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("except OSError", "except Exception"), encoding="utf-8")
    before = snapshot(postgres_url)
    (finding, *_) = found(shop)
    assert "migrations/versions/5d22b1c8e3f9_colour.py, line " in finding.evidence
    assert "beside the migration's own" in finding.evidence
    assert snapshot(postgres_url) == before


SQLITE_BESIDE = [
    "import sqlite3\nc = sqlite3.connect('shop.db')\nc.execute('DROP TABLE products')\nc.commit()",
    (
        "with sa.create_engine('sqlite:///shop.db').begin() as c:\n"
        "    c.execute(sa.text('DROP TABLE products'))"
    ),
]


@pytest.mark.proves("C03", "D01")
@pytest.mark.parametrize("code", SQLITE_BESIDE)
def test_a_revision_that_opens_the_file_itself_changes_nothing_and_is_named(
    shop: Path, to_head: ToHead, code: str
) -> None:
    to_head(shop)
    adds(shop, code)
    path = shop / "migrations/versions/5d22b1c8e3f9_colour.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("except OSError", "except Exception"), encoding="utf-8")
    before = (shop / "shop.db").read_bytes()
    (finding,) = found(shop)
    assert "opens a connection to an SQLite file, beside the migration's own," in finding.evidence
    assert (shop / "shop.db").read_bytes() == before


@pytest.mark.proves("C03", "D01")
def test_a_revision_cannot_reach_another_database(
    shop: Path, to_head: ToHead, postgres: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    to_head(shop)
    adds(shop, f"import psycopg\npsycopg.connect({postgres!r}).execute('SELECT 1')")
    evidence = " ".join(f.evidence for f in found(shop))
    assert "opens a connection to" in evidence
    assert "(postgresql postgres) while it is only read; it was refused" in evidence


def test_an_app_that_uses_its_own_database_while_it_loads_is_not_reported(
    shop: Path, to_head: ToHead, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    to_head(shop)
    asked = "psycopg.connect(url).execute('SHOW transaction_read_only').fetchone()"
    code = f"{OWN}assert {asked}[0] == 'on'"
    _append(shop / "shop/models.py", code)
    assert WorkerProject.open(shop).describe().interceptions == ()


def test_an_app_that_uses_another_database_while_it_loads_is_reported(
    shop: Path, to_head: ToHead, postgres: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    to_head(shop)
    _append(shop / "shop/models.py", f"import psycopg\npsycopg.connect({postgres!r}).close()")
    (tried,) = WorkerProject.open(shop).describe().interceptions
    assert (tried.kind, tried.file) == ("connection", "shop/models.py")
    assert tried.call.endswith("(postgresql postgres)")
    allowed = WorkerProject.open(shop)
    hosts = (tried.call.partition(" ")[0],)
    allowed.target = replace(allowed.target, allow=launch.Allow(hosts=hosts))
    assert allowed.describe().interceptions == ()


def _append(path: Path, code: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{code}\n", encoding="utf-8")


MARIADB_BESIDE = [
    "c.cursor().execute('CREATE TABLE sneaked (a INT)')",
    "c.query('SET SESSION TRANSACTION READ/**/WRITE'); c.query('DROP TABLE order_lines')",
    "c.query('SET @@tx_read_only := 0'); c.query('DROP TABLE order_lines')",
    (
        'c.query(\'EXECUTE IMMEDIATE CONCAT("SET tx_read", "_only=0")\')\n'
        "c.query('DROP TABLE order_lines')"
    ),
]


@pytest.mark.slow
@pytest.mark.proves("C03", "D01")
@pytest.mark.parametrize("code", MARIADB_BESIDE)
def test_a_driver_used_by_itself_does_not_write_to_mariadb(
    shop: Path,
    to_head: ToHead,
    mariadb: Path,
    mariadb_url: str,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", mariadb_url)
    to_head(shop)
    name = mariadb_url.partition("@localhost/")[2].partition("?")[0]
    open_it = f"c = pymysql.connect(unix_socket={str(mariadb)!r}, user='root', database={name!r})"
    adds(shop, f"import pymysql\n{open_it}\n{code}")
    path = shop / "migrations/versions/5d22b1c8e3f9_colour.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("except OSError", "except Exception"), encoding="utf-8")
    before = snapshot(mariadb_url)
    assert "beside the migration's own" in " ".join(f.evidence for f in found(shop))
    assert snapshot(mariadb_url) == before
