"""The command line: the same use cases, exit codes that CI can use, nothing that applies."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rulezero_server.cli.commands import cli

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def notes(copy_project: Any, to_head: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Flask-Migrate application whose second revision waits."""
    url = f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    folder: Path = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    return folder


@pytest.fixture
def process() -> Run:
    """`process(*arguments)`: the command in a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rulezero_server", *map(str, arguments)],
            env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def rulezero() -> Run:
    """`rulezero(*arguments)`: the same command, in this process."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        done = CliRunner(env={"NO_COLOR": "1"}).invoke(cli, words)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.mark.proves("A11")
def test_review_prints_the_documented_json(notes: Path, process: Run) -> None:
    done = process("review", "--project", notes, "--format", "json")
    result = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert set(result["database"]) == {"dialect", "version", "name", "identity"}
    assert set(result["rehearsal"]) >= {
        *("ran", "where", "upgrade", "downgrade", "reupgrade", "schema_restored"),
        *("data_restored", "rewrites", "locks", "seconds", "error"),
    }
    assert {
        *("project", "database", "revision", "path", "verdict", "risk", "findings", "facts"),
        *("rehearsal", "approval_request", "next_step"),
    } <= set(result)
    assert (result["verdict"], result["revision"]) == ("SAFE", "2b8e41f6a05c")
    assert result["plan_id"] is None


def test_review_of_all_revisions_reads_files_and_asks_no_database(
    notes: Path, rulezero: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://ann:sesame@127.0.0.1:1/notes")
    done = rulezero("review", "--all", "--static", "--project", notes, "--format", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    reviews = json.loads(done.stdout)
    assert [r["revision"] for r in reviews] == ["1a0c7d2e9f31", "2b8e41f6a05c"]
    assert {r["database"]["dialect"] for r in reviews} == {"postgresql"}


def test_nothing_to_review_is_no_failure(notes: Path, rulezero: Run, to_head: Any) -> None:
    Path(os.environ["DATABASE_URL"].partition("///")[2]).unlink()
    to_head(notes)
    done = rulezero("review", "--project", notes, "--format", "json", "--fail-on", "WARNING")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["verdict"], result["revision"]) == ("SAFE", "2b8e41f6a05c")
    assert "Nothing waits" in result["next_step"]


def test_findings_set_the_exit_status_and_go_to_sarif_and_github(
    notes: Path, rulezero: Run
) -> None:
    revision = next((notes / "migrations" / "versions").glob("2b8e*"))
    text = revision.read_text("utf-8")
    revision.write_text(
        text.replace("def upgrade():", "def upgrade():\n    op.drop_column('users', 'name')"),
        "utf-8",
    )
    plain = rulezero("review", "--project", notes)
    assert plain.returncode == 0
    assert "drop-column" in plain.stdout
    strict = rulezero("review", "--project", notes, "--fail-on", "WARNING", "--format", "github")
    assert strict.returncode == 1
    path = "migrations/versions/2b8e41f6a05c_events.py"
    assert f"::warning file={path},line=" in strict.stdout
    sarif = json.loads(rulezero("review", "--project", notes, "--format", "sarif").stdout)
    [run] = sarif["runs"]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert {p["artifactLocation"]["uri"] for p in places} == {path}


def test_what_cannot_run_is_two_lines_on_stderr_and_exit_status_2(
    tmp_path: Path, rulezero: Run, process: Run
) -> None:
    for command, run in (("analyze", rulezero), ("review", process), ("history", rulezero)):
        done = run(command, "--project", tmp_path)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("rulezero: NoProject: No Alembic or Flask-Migrate project")
        assert "\nNext: " in done.stderr
    assert process("serve", "--project", tmp_path / "none").returncode == 2


def test_doctor_says_what_is_wrong_and_how_to_mend_it(notes: Path, rulezero: Run) -> None:
    good = rulezero("doctor", "--project", notes)
    assert good.returncode == 0, good.stdout
    assert "interpreter" in good.stdout
    (notes / "rulezero.toml").write_text("python = '/no/such/python'\n")
    bad = rulezero("doctor", "--project", notes)
    assert bad.returncode == 1
    assert "✗" in bad.stdout
    assert "Set `python" in bad.stdout


@pytest.mark.proves("D10")
def test_history_prints_a_whole_chain_and_fails_on_a_broken_one(
    notes: Path, rulezero: Run, tmp_path: Path
) -> None:
    upgraded = rulezero("analyze", "--project", notes)
    assert upgraded.returncode == 2
    assert "DatabaseNotAtHead" in upgraded.stderr
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "notes:create_app", "db", "upgrade"],
        cwd=notes,
        check=True,
        capture_output=True,
    )
    rulezero("analyze", "--project", notes)
    whole = rulezero("history", "--project", notes, "--verify")
    assert whole.returncode == 0
    assert "analyzed" in whole.stdout
    [file] = [
        p for p in (tmp_path / "state").iterdir() if p.suffix in {".db", ".sqlite3", ".sqlite"}
    ]
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE rulezero_audit SET value = replace(value, 'analyzed', 'approved')"
        )
    connection.close()
    assert rulezero("history", "--project", notes, "--verify").returncode == 1


@pytest.mark.proves("A19", "A01")
def test_no_command_applies_and_no_option_skips_the_question(rulezero: Run) -> None:
    words = rulezero("--help").stdout
    for command in ("analyze", "review", "history", "doctor", "demo", "serve"):
        assert command in words
        words += rulezero(command, "--help").stdout
    assert not {"--yes", "--force", "--auto-apply"} & set(words.split())


def test_the_version_is_printed(process: Run) -> None:
    assert process("--version").stdout.startswith("rulezero 0.")
