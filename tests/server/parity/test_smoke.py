"""Smoke tests in an environment like production's, where nothing of production can be reached."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rulezero_policies.parity.values import SmokeRule
from rulezero_server.parity.shadowed import Place, ShadowSmokeTests
from rulezero_server.shadows.wishes import Wishes
from rulezero_server.worker.parity import calling
from rulezero_tools.parity.smoke import SmokeResult

CANARY = "canary-5c1e77d0"

PRODUCTION = {
    "DATABASE_URL": f"postgresql://app:{CANARY}@db.corp/app",
    "SECRET_KEY": CANARY,
    "WORKERS": "4",
}
STAGING = {**PRODUCTION, "FEATURE_SEARCH": "true", "SEARCH_URL": f"http://{CANARY}.corp/"}

MakePlace = Callable[..., Place]


def smoke(
    place: Place, *rules: tuple[str, str], overrides: Mapping[str, str] | None = None, **more: Any
) -> list[SmokeResult]:
    """Run these (kind, target) on `place`."""
    every = [
        SmokeRule(name=f"t{number}", service="api", kind=kind, target=target, **more)  # pyright: ignore[reportArgumentType]
        for number, (kind, target) in enumerate(rules)
    ]
    found = ShadowSmokeTests(place).run(every, overrides or {})
    assert CANARY not in str(found)
    assert CANARY not in str([one.reason for one in found])
    return list(found)


@pytest.mark.proves("B10", "B15")
def test_a_merged_function_is_not_visible_until_its_flag_and_key_are_set(
    service: Path, place: MakePlace
) -> None:
    before = hashlib.sha256((service / "notes.db").read_bytes()).hexdigest()
    here = place(service, PRODUCTION, STAGING)
    tasks, search, command = smoke(
        here, ("route", "/tasks"), ("route", "/search"), ("command", "flask routes")
    )
    assert (tasks.outcome, tasks.seen) == ("passed", "status 200")
    assert search.outcome == "failed"
    assert search.seen == "status 404: no route of the app fits"
    assert search.missing == ("FEATURE_SEARCH",)
    assert command.outcome == "passed"
    (half,) = smoke(here, ("route", "/search"), overrides={"FEATURE_SEARCH": "true"})
    assert (half.seen, half.error, half.missing) == ("status 500", "KeyError", ("SEARCH_URL",))
    assert (half.file, half.given) == ("notes/__init__.py", ("FEATURE_SEARCH",))
    assert half.line is not None
    whole = {"FEATURE_SEARCH": "true", "SEARCH_URL": "http://search.invalid/"}
    (shown,) = smoke(here, ("route", "/search"), overrides=whole, contains="search.invalid")
    assert (shown.outcome, shown.reason) == ("passed", None)
    assert hashlib.sha256((service / "notes.db").read_bytes()).hexdigest() == before
    assert here.project.describe().database.current == ("1a0c7d2e9f31",)


EVIL = """
import os
import socket
import sqlite3
import subprocess
from pathlib import Path


def of_staging():
    open(".env.staging").read()


def by_number():
    os.open(".env.staging", os.O_RDONLY)


def removes():
    os.remove(".env.production")


def renames():
    os.rename(".env.production", "plain.txt")


def of_the_server():
    Path(f"/proc/{os.getppid()}/environ").read_bytes()


def program():
    subprocess.run(["printenv"])


def overwrite():
    open("notes.db", "r+b")


def connects():
    socket.create_connection(("192.0.2.1", 80), timeout=1)


TRIES = [of_staging, by_number, removes, renames, of_the_server, program, overwrite, connects]


def attack():
    worked = []
    for attempt in TRIES:
        try:
            attempt()
        except (FileNotFoundError, PermissionError):
            continue
        worked.append(attempt.__name__)
    return worked or "nothing worked"


def looks():
    seen = [*os.environ.values(), Path(".env.production").read_text()]
    assert not os.path.exists(".env.staging")
    assert not any("canary" in value for value in seen), "a real value"
    return seen[-1]


def writes():
    with sqlite3.connect("notes.db") as database:
        database.execute("DELETE FROM users")
    return "deleted"
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.proves("B10", "B15")
def test_a_hostile_target_finds_no_secret_and_reaches_nothing_of_production(
    service: Path, place: MakePlace
) -> None:
    (service / "evil.py").write_text(EVIL, encoding="utf-8")
    before = (service / "notes.db").read_bytes()
    here = place(service, PRODUCTION, STAGING)
    (told,) = smoke(here, ("callable", "evil:attack"), contains="nothing worked")
    assert told.outcome == "passed"
    assert told.refused == (
        "file .env.staging",
        "file .env.production",
        "file another process",
        "program printenv",
        "connection notes.db, an SQLite file, to change it",
        "connection 192.0.2.1:80",
    )
    (seen,) = smoke(here, ("callable", "evil:looks"), contains="SECRET_KEY='stand-in")
    assert seen.outcome == "passed", seen
    (wrote,) = smoke(here, ("callable", "evil:writes"), contains="deleted")
    assert wrote.outcome == "passed", "it wrote to the shadow"
    assert (service / "notes.db").read_bytes() == before
    assert CANARY in (service / ".env.production").read_text(encoding="utf-8")


@pytest.mark.proves("B10")
def test_each_kind_says_how_it_ended(service: Path, place: MakePlace) -> None:
    (service / "work.py").write_text(
        "import os, sys, time\n"
        "def no(): return False\n"
        "async def later(): return 'ready'\n"
        "def ends(): os._exit(7)\n"
        "def waits(): time.sleep(600)\n"
        "if __name__ == '__main__': print('ran'); sys.exit(len(sys.argv) - 1)\n",
        encoding="utf-8",
    )
    here = place(service)
    no, ends, script, failed, ls = smoke(
        here,
        ("callable", "work:no"),
        ("callable", "work:ends"),
        ("command", "python work.py"),
        ("command", "python work.py --bad"),
        ("command", "ls /"),
    )
    assert (no.outcome, no.seen) == ("failed", "returned False")
    assert (ends.outcome, ends.seen) == ("failed", "its process ended (exit status 7)")
    assert (script.outcome, script.seen) == ("passed", "exit status 0")
    assert (failed.outcome, failed.seen) == ("failed", "exit status 1")
    assert ls.outcome == "not_run"
    assert "no Python" in ls.seen
    (later,) = smoke(here, ("callable", "work:later"), contains="ready")
    assert later.outcome == "passed"
    (waits,) = smoke(here, ("callable", "work:waits"), seconds=0.1)
    assert waits.outcome == "failed"
    assert "no answer within" in waits.seen


ASGI = """
import os
from contextlib import suppress

KEY = os.environ["STARTS_WITH"]
ready = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        ready.append(True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/fails":
        raise LookupError(KEY)
    body = b"ready" if ready else b"not started"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""

WSGI = """
def make_app():
    def app(environ, start_response):
        start_response("302 Found", [("Location", "/login?next=secret")])
        return [environ["PATH_INFO"].encode()]
    return app
"""


@pytest.mark.proves("B10")
def test_an_app_of_any_framework_is_asked_and_one_that_does_not_start_names_its_key(
    service: Path, place: MakePlace
) -> None:
    api = service / "api"
    api.mkdir()
    (api / "main.py").write_text(ASGI, encoding="utf-8")
    (api / "other.py").write_text(WSGI, encoding="utf-8")
    here = place(service, {"STARTS_WITH": CANARY}, within="api")
    (ready,) = smoke(here, ("route", "/"), contains="ready")
    assert (ready.outcome, ready.seen) == ("passed", "status 200, holds the text"), ready
    (fails,) = smoke(here, ("route", "/fails"))
    assert (fails.error, fails.file) == ("LookupError", "api/main.py")
    assert fails.stand_ins == ("STARTS_WITH",)
    assert "may be a stand-in" in fails.told
    (moved,) = smoke(here, ("route", "/x"), app="other:make_app", status=302, contains="/x")
    assert (moved.outcome, moved.seen) == ("passed", "status 302, to /login, holds the text")
    (lost,) = smoke(place(service, within="api"), ("route", "/"))
    assert (lost.outcome, lost.error, lost.missing) == ("failed", "KeyError", ("STARTS_WITH",))


@pytest.mark.proves("B10")
def test_where_no_app_is_found_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "false")
    with pytest.raises(calling.NoAppError):
        calling.app(None)


@pytest.mark.proves("B10")
def test_without_a_shadow_nothing_is_run_and_that_is_said(service: Path, place: MakePlace) -> None:
    (told,) = smoke(place(service, wishes=Wishes(on=False)), ("route", "/tasks"))
    assert (told.outcome, "switched off" in told.seen) == ("not_run", True)
    revision = next((service / "migrations" / "versions").glob("2b8e*"))
    text = revision.read_text(encoding="utf-8")
    broken = text.replace("def upgrade():\n", "def upgrade():\n    1 / 0\n")
    assert broken != text
    revision.write_text(broken, encoding="utf-8")
    (failed,) = smoke(place(service), ("route", "/tasks"))
    assert failed.outcome == "not_run"
    assert "2b8e41f6a05c (ZeroDivisionError)" in failed.seen
    elsewhere = SmokeRule(name="x", service="nobody", kind="route", target="/")
    (unknown,) = ShadowSmokeTests(place(service, wishes=Wishes(on=False))).run([elsewhere], {})
    assert "no service 'nobody'" in unknown.seen


@pytest.mark.proves("B10")
def test_on_postgresql_productions_url_leads_to_a_shadow_and_the_target_stays(
    notes_on_postgresql: Path, postgres_url: str, place: MakePlace
) -> None:
    text = (notes_on_postgresql / "notes" / "__init__.py").read_text(encoding="utf-8")
    assert "DATABASE_URL" in text
    (notes_on_postgresql / "work.py").write_text(
        "import os\n"
        "import sqlalchemy as sa\n"
        "def adds():\n"
        "    with sa.create_engine(os.environ['DATABASE_URL']).begin() as connection:\n"
        "        connection.execute(sa.text(\"INSERT INTO users (email) VALUES ('a')\"))\n"
        "        return connection.execute(sa.text('SELECT title FROM events')).all() or 'empty'\n"
        "def straight():\n"
        f"    return sa.create_engine({postgres_url.replace('/t_', '/x_')!r}).connect()\n",
        encoding="utf-8",
    )
    here = place(notes_on_postgresql, {"DATABASE_URL": f"postgresql+psycopg://a:{CANARY}@db/app"})
    adds, straight = smoke(here, ("callable", "work:adds"), ("callable", "work:straight"))
    assert adds.outcome == "passed", adds
    assert straight.error == "RefusedError"
    url = postgres_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
    assert os.environ["DATABASE_URL"] == postgres_url
