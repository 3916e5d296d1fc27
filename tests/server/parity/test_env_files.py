"""Settings files: every key with its line, and a named problem for what is none."""

import os
import re
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from rulezero_server.parity import envfiles, marks
from rulezero_server.parity.assigned import Assigned
from rulezero_server.parity.envfiles import Read
from rulezero_server.parity.reading import Grounds

CANARY = "canary-5f1d9a-value"


def read(path: Path, text: str | bytes, **known: str) -> Read:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return envfiles.read(path, Grounds(root=path.parent), known)


def told(found: Read) -> list[tuple[str, int, str | None]]:
    return [(one.key, one.line, one.value) for one in found.found]


@pytest.mark.proves("B02")
def test_every_way_to_write_a_setting_is_read_with_its_line(tmp_path: Path) -> None:
    text = (
        "# a comment\n"
        "\n"
        "A=1\n"
        "  export B = two words # comment\n"
        'C="first\nsecond"\n'
        "D='single # kept'\n"
        "E=\n"
        "BARE\n"
        'F="quoted \\"inner\\"" # comment\n'
        "A=again\n"
    )
    assert told(read(tmp_path / ".env", text)) == [
        ("A", 3, "1"),
        ("B", 4, "two words"),
        ("C", 5, "first\nsecond"),
        ("D", 7, "single # kept"),
        ("E", 8, ""),
        ("BARE", 9, None),
        ("F", 10, 'quoted "inner"'),
        ("A", 11, "again"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_change_no_line(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbfA=1\r\n\r\nB='x\r\ny'\r\nC=2\r\n"
    assert told(read(tmp_path / ".env", text)) == [("A", 1, "1"), ("B", 3, "x\r\ny"), ("C", 5, "2")]


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20),
        max_size=6,
    )
)
def test_what_python_dotenv_reads_is_what_is_read(values: dict[str, str]) -> None:
    text = "".join(
        f"{key}='{value}'\n".replace("\\", "\\\\").replace("$", "")
        for key, value in values.items()
        if "'" not in value
    )
    found, broken = envfiles.parse(text)
    assert {one.key: one.value for one in found} == dotenv_values(stream=StringIO(text))
    assert broken == ()


def test_a_key_is_filled_in_from_what_was_set_before_it_and_from_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTER", "the environment of this process")
    text = "HOST=db\nURL=${HOST}:${PORT:-5432}/${NAME}\nOPEN=${OUTER}\n"
    found = read(tmp_path / ".env", text, NAME="shop").found
    assert found[1] == Assigned(
        key="URL",
        line=2,
        value="db:5432/shop",
        raw="${HOST}:${PORT:-5432}/${NAME}",
        refers=("HOST", "PORT", "NAME"),
    )
    assert (found[2].value, found[2].open) == ("", ("OUTER",))
    # What it comes to is not known here, so that it is not called empty.
    assert marks.entry(found[2], "f").shape == "text"


@pytest.mark.proves("B15")
@pytest.mark.parametrize(
    "text",
    [
        f"just words {CANARY}\n",
        f'A="never closed {CANARY}\n',
        f'"quoted":"{CANARY}="\n',
        f"{CANARY} = 1\nx y\n".replace("-", "/"),
        f"A=1\n=x {CANARY}\n",
    ],
)
def test_a_broken_line_is_named_by_its_number_and_never_by_its_text(
    tmp_path: Path, text: str
) -> None:
    found = read(tmp_path / ".env", text + "LAST=1\n")
    assert found.broken
    assert CANARY not in repr(found)
    assert CANARY.replace("-", "/") not in repr(found)
    assert [one.key for one in found.found if one.key != "A"] == ["LAST"]


@pytest.mark.proves("B15")
def test_a_private_key_that_was_pasted_without_quotes_gives_no_key_of_its_lines(
    tmp_path: Path,
) -> None:
    text = (
        "A=1\n"
        "PEM=-----BEGIN PRIVATE KEY-----\n"
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n"
        "kQ==\n"
        "-----END PRIVATE KEY-----\n"
        "LAST=1\n"
    )
    found = read(tmp_path / ".env", text)
    assert [one.key for one in found.found] == ["A", "PEM", "LAST"]
    assert found.broken == (3, 4, 5)


@pytest.mark.proves("B02")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"A=1\nB=\x00\n", "is binary, not text: name the file"),
        ("A=1\n".encode("utf-16"), "is UTF-16, which python-dotenv does not read"),
        (b"A=1\nB=\xff\xfe\n", r"is not UTF-8 \(line 2\): save"),
        (b"A=1\n" * 300_000, "is larger than 1000 kB"),
        (b"A=1\n" * 6_000, "holds more than 5000 keys"),
    ],
)
def test_what_is_no_settings_file_has_a_named_problem(
    tmp_path: Path, content: bytes, why: str
) -> None:
    found = read(tmp_path / ".env", content)
    assert found.found == ()
    assert re.match(why, found.error or "")


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path: Path) -> None:
    grounds = Grounds(root=tmp_path)
    (tmp_path / "folder").mkdir()
    assert envfiles.read(tmp_path / "none", grounds).error == "does not exist"
    assert envfiles.read(tmp_path / "folder", grounds).error == "is a folder: name a file in it"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert (
            envfiles.read(tmp_path / "pipe", grounds).error == "is no plain file: name one that is"
        )


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1", encoding="utf-8")
    path.chmod(0)
    found = envfiles.read(path, Grounds(root=tmp_path))
    assert found.error == "cannot be opened (PermissionError): let this user read it"


def test_a_link_round_in_a_circle_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    found = envfiles.read(tmp_path / "a", Grounds(root=tmp_path))
    assert found.error is not None
    assert "circle" in found.error


@pytest.mark.proves("B15")
def test_a_link_out_of_the_project_is_read_only_where_the_user_lets_it(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    root.mkdir()
    (outside / "real").write_text(f"A={CANARY}\n", encoding="utf-8")
    (root / ".env").symlink_to(outside / "real")
    refused = envfiles.read(root / ".env", Grounds(root=root))
    assert refused.found == ()
    assert "[reading] settings" in (refused.error or "")
    assert "[reading] settings" in (
        envfiles.read(root / "../outside/real", Grounds(root=root)).error or ""
    )
    allowed = envfiles.read(root / ".env", Grounds(root=root, besides=(outside,)))
    assert [one.key for one in allowed.found] == ["A"]


@pytest.mark.proves("B15")
def test_neither_a_key_nor_what_is_told_of_it_shows_its_value() -> None:
    found, _ = envfiles.parse(f"A={CANARY}\nB=x${{A}}y\n")
    entries = [marks.entry(one, "f") for one in found]
    assert CANARY not in repr(found) + repr(entries)
    assert entries[0].mark != entries[1].mark
