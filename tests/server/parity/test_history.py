"""Whether the main branch holds a definition, asked of git without running the project's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rulezero_server.parity import history
from rulezero_server.parity.history import History

NOTES = '@bp.route("/notes")\ndef notes():\n    return 1\n'


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(folder)},
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "api" / "app").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "api" / "app" / "notes.py").write_bytes(f"import x\r\n{NOTES}".encode())
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    return root


@pytest.mark.proves("B14")
def test_what_main_holds_is_told_from_what_it_does_not(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "feature")
    (repository / "api" / "app" / "new.py").write_text("def new(): ...\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "two")
    here = History(repository / "api")
    assert here.on_main("app/notes.py", '@bp.route("/notes")\r\ndef notes():') is True
    assert here.on_main("app/notes.py", "def notes") is False
    assert here.on_main("app/notes.py", "def other():") is False
    missing = here.held("app/new.py", "def new(): ...")
    assert (missing.on_main, missing.branch) == (False, "main")
    assert "no file app/new.py" in missing.reason


@pytest.mark.proves("B14")
def test_what_the_remote_calls_main_comes_first(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repository), "clone")
    (clone / "api" / "app" / "notes.py").write_text("def unpushed(): ...\n")
    git(clone, "commit", "-q", "-a", "-m", "not pushed")
    said = History(clone).held("api/app/notes.py", "def unpushed(): ...")
    assert (said.on_main, said.branch) == (False, "remotes/origin/HEAD")


@pytest.mark.proves("B14")
def test_what_cannot_be_known_is_none_with_a_reason(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert History(plain).held("a.py", "x").reason == "the project is not in a git repository"
    assert History(repository, {"PATH": ""}).held("a.py", "x").reason == "git is not installed"
    here = History(repository)
    for path in ("/etc/passwd", "../x", "a\0b"):
        assert here.held(path, "x").reason == "the file is not one of the project's"
    assert here.held("api", "x").on_main is None
    monkeypatch.setattr(history, "MOST_BYTES", 3)
    assert "too large" in here.held("api/app/notes.py", "x").reason
    git(repository, "branch", "-m", "trunk")
    assert History(repository).held("a.py", "x").reason == "no main branch is known here"
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    git(tmp_path / "shallow", "remote", "remove", "origin")
    assert History(tmp_path / "shallow").held("a.py", "x").reason.endswith("shallow")
    assert History(tmp_path / "gone").on_main("a.py", "x") is None


def test_a_link_on_main_is_no_definition(repository: Path) -> None:
    (repository / "link.py").symlink_to("/etc/hostname")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "link")
    assert "no plain file" in History(repository).held("link.py", "x").reason


def test_an_object_that_is_gone_is_unknown(repository: Path) -> None:
    name = git(repository, "rev-parse", "main:api/app/notes.py")
    (repository / ".git" / "objects" / name[:2] / name[2:]).unlink()
    said = History(repository).held("api/app/notes.py", "x")
    assert (said.on_main, said.reason) == (None, "git could not read the repository")


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
def test_nothing_that_the_repository_names_is_run(repository: Path, tmp_path: Path) -> None:
    marked = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {marked}\n")
    evil.chmod(0o755)
    (repository / "git").symlink_to(evil)
    git(repository, "config", "remote.origin.url", f"ext::{evil}")
    for key, value in {
        "core.fsmonitor": str(evil),
        "core.hooksPath": str(tmp_path),
        "core.pager": str(evil),
        "core.sshCommand": str(evil),
        "core.editor": str(evil),
        "core.alternateRefsCommand": str(evil),
        "diff.external": str(evil),
        "filter.evil.smudge": str(evil),
        "filter.evil.clean": str(evil),
        "diff.evil.textconv": str(evil),
        "credential.helper": f"!{evil}",
        "protocol.ext.allow": "always",
        "remote.origin.promisor": "true",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.uploadpack": str(evil),
        "alias.ls-tree": f"!{evil}",
        "alias.cat-file": f"!{evil}",
    }.items():
        git(repository, "config", key, value)
    (repository / ".git" / "info" / "attributes").write_text("*.py filter=evil diff=evil\n")
    path = os.pathsep.join([str(repository), ".", os.environ["PATH"]])
    assert History(repository, {"PATH": os.environ["PATH"]}).on_main("api/app/notes.py", NOTES)
    name = git(repository, "rev-parse", "main:api/app/notes.py")
    (repository / ".git" / "objects" / name[:2] / name[2:]).unlink()
    assert History(repository).on_main("api/app/notes.py", NOTES) is None
    assert History(repository, {"PATH": path}).on_main("api/app/notes.py", NOTES) is None
    assert not marked.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_a_git_that_does_not_answer_is_not_waited_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    slow.chmod(0o755)
    monkeypatch.setattr(history, "PATIENCE", 0.2)
    path = os.pathsep.join([str(slow.parent), os.environ["PATH"]])
    assert "no answer within 0.2 s" in History(repository, {"PATH": path}).held("a", "x").reason


@pytest.mark.proves("B15")
def test_no_path_of_the_machine_and_nothing_of_the_file_is_in_the_reason(repository: Path) -> None:
    said = repr(History(repository).held("api/app/notes.py", "canary-19ab"))
    assert "canary" not in said
    assert str(repository) not in said
