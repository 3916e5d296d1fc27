"""`rulezero history`: the trail is verified, held against what was noted, and exported."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner, Result

from rulezero_policies.audit import Event
from rulezero_server.cli.commands import cli
from rulezero_server.stores import open_store
from rulezero_tools.ports import Store

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"

History = Callable[..., Result]

pytestmark = pytest.mark.proves("D10")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's file."""
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("RULEZERO_STORE", raising=False)
    return tmp_path / "state" / "store.sqlite3"


@pytest.fixture
def folder(copy_project: Callable[[str], Path]) -> Path:
    return copy_project("alembic_shop")


@pytest.fixture
def store(file: Path, folder: Path) -> Store:
    """Four entries of two projects."""
    store = open_store()
    for number, project in enumerate((folder, "/elsewhere", folder, folder), start=1):
        store.append(
            at=datetime(2026, 3, 1, tzinfo=UTC),
            event="asked",
            project=str(project),
            principal="änn@here",
            plan_id=None,
            detail=f"entry {number}",
        )
    assert file.is_file()
    return store


@pytest.fixture
def history(folder: Path, store: Store) -> History:
    """`history(*options)`: what the command printed."""

    def run(*options: str) -> Result:
        return CliRunner().invoke(cli, ["history", "--project", str(folder), *options])

    return run


def tamper(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_whole_trail_is_told_with_its_length_and_head(history: History, store: Store) -> None:
    done = history("--verify")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"whole, 4 entries, head {store.head()[1]}"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM rulezero_audit WHERE sequence = 4", "cut off at the end"),
        ("DELETE FROM rulezero_audit WHERE sequence = 2", "entry 2 was removed"),
        (
            "UPDATE rulezero_audit SET value = replace(value, 'entry 3', 'entry X')",
            "entry 3 was altered",
        ),
    ],
)
def test_a_broken_trail_is_told_and_fails(
    history: History, file: Path, statement: str, said: str
) -> None:
    tamper(file, statement)
    done = history("--verify")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].startswith(f"broken: {said}")
    assert history().exit_code == 0, "only who asks for it gets the exit status"
    told = json.loads(history("--format", "json").stdout)
    assert said in told["chain"]


def test_a_head_that_was_noted_must_still_be_there(
    history: History, store: Store, file: Path
) -> None:
    noted = store.entries()[1].hash
    assert history("--expect", noted).exit_code == 0
    for table in ("rulezero_audit", "rulezero_audit_head"):
        tamper(file, f"DELETE FROM {table}")
    tamper(file, f"INSERT INTO rulezero_audit_head VALUES (1, 0, '{'0' * 64}')")
    assert history("--verify").exit_code == 0, "a store that was replaced is whole in itself"
    done = history("--expect", noted)
    assert done.exit_code == 1
    assert "no entry has the hash" in done.stdout


def test_the_export_holds_every_entry_of_the_store(
    history: History, store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "trail.jsonl"
    done = history("--export", str(target))
    assert (done.exit_code, done.stdout) == (0, "")
    lines = target.read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["hash"] for line in lines] == [e.hash for e in store.entries()]
    assert history("--export", "-").stdout.splitlines() == lines


def test_an_export_that_cannot_be_written_says_so(history: History, tmp_path: Path) -> None:
    done = history("--export", str(tmp_path / "none" / "trail.jsonl"))
    assert done.exit_code == 2
    assert "cannot be written" in re.sub(r"\s+", " ", done.stderr)


def checked(target: Path) -> subprocess.CompletedProcess[str]:
    """What the program in the documentation says of an export."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    command = [sys.executable, "-X", "utf8", "-c", program, str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_third_party_can_check_the_export_as_documented(
    history: History, store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "trail.jsonl"
    history("--export", str(target))
    assert checked(target).stdout.strip() == store.head()[1]
    whole = target.read_text(encoding="ascii")
    target.write_text(whole.replace("entry 2", "entry X"), encoding="ascii")
    assert "entry 2 was altered" in checked(target).stderr
    target.write_text("".join(whole.splitlines(keepends=True)[1:]), encoding="ascii")
    assert "entry 1 was altered" in checked(target).stderr


def test_every_event_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [event for event in get_args(Event) if f"`{event}`" not in text] == []
