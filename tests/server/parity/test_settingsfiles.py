"""Settings files as files plans see them: what may be written at all, and what is told of it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rulezero_policies.errors import FileRefused
from rulezero_policies.parity.changes import FileChange, Operation
from rulezero_policies.parity.consolidation import ComposeService
from rulezero_server.parity import keyed, plainfiles
from rulezero_server.parity.settingsfiles import ProjectSettings

pytestmark = pytest.mark.proves("B13", "B15")

CANARY = "c4n4ry-in-a-file"
ADD = Operation(kind="flag", key="FEATURE_X")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    folder = (tmp_path / "project").resolve()
    folder.mkdir()
    (folder / ".env").write_text(f"A={CANARY}\n", encoding="utf-8")
    return folder


def adding(path: str, *operations: Operation) -> list[FileChange]:
    return [FileChange(path=path, operations=operations or (ADD,))]


def linked(file: Path) -> None:
    file.rename(file.with_name("real"))
    file.symlink_to("real")


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


SPOILT: dict[str, Callable[[Path], object]] = {
    "a link": linked,
    "a second name": lambda file: file.with_name("other").hardlink_to(file),
    "read-only": lambda file: file.chmod(0o444),
    "a folder": folder,
    "a pipe": pipe,
    "binary": lambda file: file.write_bytes(b"A=" + CANARY.encode() + b"\0"),
    "latin-1": lambda file: file.write_bytes(b"A=" + CANARY.encode() + b"\xe4\n"),
    "huge": lambda file: file.write_bytes(b"A=" + CANARY.encode() * 100_000),
}


def spoilt(root: Path, how: str) -> str:
    """A file that is not to be written, and its path."""
    if how not in SPOILT:
        return how
    SPOILT[how](root / ".env")
    return ".env"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("a link", "symbolic link"),
        ("a second name", "hard link"),
        ("read-only", "read-only"),
        ("a folder", "folder"),
        ("a pipe", "no plain file"),
        ("binary", "binary"),
        ("latin-1", "not UTF-8"),
        ("huge", "larger than"),
        ("../outside", "outside the project"),
        ("/etc/environment", "outside the project"),
        ("nowhere/.env", "folder is not there"),
    ],
)
def test_a_file_that_is_no_plain_one_is_named_and_left_alone(
    root: Path, how: str, why: str
) -> None:
    path = spoilt(root, how)
    with pytest.raises(FileRefused, match=why) as refused:
        ProjectSettings(root).foresee(adding(path))
    assert CANARY not in repr(refused.value.facts) + str(refused.value)
    assert refused.value.__cause__ is None


def test_a_file_below_a_link_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "api").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileRefused, match="below a symbolic link"):
        ProjectSettings(root).foresee(adding("api/.env"))


def test_what_would_change_something_else_is_refused(root: Path) -> None:
    # The quote that stands open would take the new line in.
    (root / ".env").write_text(f'B=1\nA="{CANARY}', encoding="utf-8")
    (root / "more").write_text('X="y"\n', encoding="utf-8")
    settings = ProjectSettings(root)
    copy = Operation(kind="copy", key="X", source="more")
    with pytest.raises(FileRefused, match="edit it by hand"):
        settings.foresee(adding(".env", copy))
    with pytest.raises(FileRefused, match="B is set there already"):
        settings.foresee(adding(".env", Operation(kind="flag", key="B")))


def test_what_is_taken_out_must_stand_elsewhere_with_the_same_value(root: Path) -> None:
    settings, remove = ProjectSettings(root), Operation(kind="remove", key="A", source="root.env")
    with pytest.raises(FileRefused, match=r"A is not the same in root\.env"):
        settings.foresee(adding(".env", remove))
    (root / "root.env").write_text(f"A={CANARY}x\n", encoding="utf-8")
    with pytest.raises(FileRefused, match=r"A is not the same in root\.env"):
        settings.foresee(adding(".env", remove))
    (root / "root.env").write_text(f"export A='{CANARY}'\n", encoding="utf-8")
    assert settings.foresee(adding(".env", remove))


def test_what_is_only_read_may_be_a_link_or_elsewhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("A=1\n", encoding="utf-8")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "in").symlink_to(".env")
    (root / "circle").symlink_to("circle")
    paths = ("in", "out", "circle", str(tmp_path / "outside"), "../outside", "missing")
    settings = ProjectSettings(root)
    assert set(settings.marks(paths, follow=True)) == {"in"}
    with pytest.raises(FileRefused, match="symbolic link"):
        settings.marks(["in"])


def test_nothing_is_written_by_looking(root: Path) -> None:
    (found,) = ProjectSettings(root).foresee(adding(".env"))
    assert (root / ".env").read_text(encoding="utf-8") == f"A={CANARY}\n"
    assert found.before != found.after
    (made,) = ProjectSettings(root).foresee(adding("new.env"))
    assert made.before is None
    assert not (root / "new.env").exists()


def test_a_keyed_hash_is_worth_nothing_without_the_key(root: Path, tmp_path: Path) -> None:
    marks = ProjectSettings(root).marks([".env", "missing"])
    assert marks == {".env": keyed.mark((root / ".env").read_bytes())}
    key = tmp_path / "state" / "settings.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    assert ProjectSettings(root).marks([".env"]) != marks
    key.write_bytes(b"short")
    with pytest.raises(FileRefused, match="not the key"):
        ProjectSettings(root).marks([".env"])


def test_what_was_read_is_in_no_repr(root: Path) -> None:
    assert CANARY not in repr(plainfiles.look(root, ".env"))


def test_compose_services_are_known_by_the_files_that_they_read(root: Path) -> None:
    (root / "deploy").mkdir()
    (root / "deploy/docker-compose.prod.yml").write_text(
        f"services:\n  api:\n    environment: ['A={CANARY}', 'B=${{HOST}}']\n"
        "    env_file: ../.env\n",
        encoding="utf-8",
    )
    found = ProjectSettings(root).compose()
    assert found == (
        ComposeService(
            path="deploy/docker-compose.prod.yml",
            service="api",
            files=(".env",),
            editable=True,
            interpolated=frozenset({"HOST"}),
        ),
    )
    assert CANARY not in repr(found)


def test_there_is_no_backup_to_put_back_before_something_was_written(root: Path) -> None:
    with pytest.raises(FileRefused, match="the backup of plan-1"):
        ProjectSettings(root).foresee_restore("plan-1")
