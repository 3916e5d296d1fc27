"""A draft is replaced at once and whole, and what stood there is never lost."""

import os
from pathlib import Path

import pytest

from rulezero_policies.errors import FilesMoved, NotADraft
from rulezero_server import drafts

NAME = "migrations/versions/a1_notes.py"

pytestmark = pytest.mark.proves("A14")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    file = tmp_path / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(b"old\r\n")
    file.chmod(0o640)
    return tmp_path


def rewrite(root: Path, *, before: bytes = b"old\r\n", after: bytes = b"new\n") -> str:
    places = frozenset({root / "migrations" / "versions"})
    return drafts.rewrite(root, places, NAME, before=before, after=after)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / NAME).parent.iterdir())


def test_the_old_bytes_stay_beside_under_a_name_that_nothing_loads(root: Path) -> None:
    assert rewrite(root) == f"{NAME}.before-fix-1"
    assert rewrite(root, before=b"new\n", after=b"newer\n") == f"{NAME}.before-fix-2"
    assert (root / NAME).read_bytes() == b"newer\n"
    assert (root / f"{NAME}.before-fix-1").read_bytes() == b"old\r\n"
    assert (root / f"{NAME}.before-fix-2").read_bytes() == b"new\n"
    assert names(root) == [Path(NAME).name + e for e in ("", ".before-fix-1", ".before-fix-2")]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has modes")
def test_the_mode_of_the_file_stays(root: Path) -> None:
    rewrite(root)
    assert (root / NAME).stat().st_mode & 0o777 == 0o640


def test_a_file_that_was_edited_meanwhile_is_left_alone(root: Path) -> None:
    with pytest.raises(FilesMoved):
        rewrite(root, before=b"what was reviewed")
    assert (root / NAME).read_bytes() == b"old\r\n"
    assert names(root) == [Path(NAME).name]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_a_link_is_never_written_through(root: Path, how: str) -> None:
    elsewhere = root / "app.py"
    elsewhere.write_bytes(b"old\r\n")
    (root / NAME).unlink()
    link = os.symlink if how == "symbolic" else os.link
    link(elsewhere, root / NAME)
    with pytest.raises(NotADraft):
        rewrite(root)
    assert elsewhere.read_bytes() == b"old\r\n"


def test_a_file_outside_the_version_locations_is_refused(root: Path) -> None:
    places = frozenset({root / "migrations" / "others"})
    with pytest.raises(NotADraft):
        drafts.rewrite(root, places, NAME, before=b"old\r\n", after=b"new")
    with pytest.raises(NotADraft):
        drafts.rewrite(root, places, "migrations/versions/none.py", before=b"", after=b"new")
    assert names(root) == [Path(NAME).name]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(root: Path) -> None:
    folder = (root / NAME).parent
    folder.chmod(0o555)
    try:
        with pytest.raises(NotADraft, match="cannot be written"):
            rewrite(root)
    finally:
        folder.chmod(0o755)
