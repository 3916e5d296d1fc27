"""The .env format."""

from pathlib import Path

import pytest

from rulezero_policies.errors import UnreadableConfig
from rulezero_server import dotenv


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("A=1", "A", "1"),
        ("  export A = 1  ", "A", "1"),
        ("A=", "A", ""),
        ("A=a b # comment", "A", "a b"),
        ("A=a#b", "A", "a#b"),
        ("A='a # b'", "A", "a # b"),
        ('A="a # b" # c', "A", "a # b"),
        (r'A="line\nnext \"q\" \\ \x"', "A", 'line\nnext "q" \\ \\x'),
        (r"A='raw\n'", "A", r"raw\n"),
        ('A="two\nlines"', "A", "two\nlines"),
        ("URL=postgresql://u:p@h/db?x=1", "URL", "postgresql://u:p@h/db?x=1"),
        ("A=it's", "A", "it's"),
        ("A=$B", "A", "$B"),
    ],
)
def test_a_line_is_read_as_people_mean_it(tmp_path: Path, line: str, key: str, value: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"# comment\n\n{line}\nLAST=end\n", encoding="utf-8")
    assert dotenv.read(path) == {key: value, "LAST": "end"}


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_values(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbfA=1\r\nB='2'\r\n")
    assert dotenv.read(path) == {"A": "1", "B": "2"}


def test_lines_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("just words\n=x\nA=1\nA=2\n", encoding="utf-8")
    assert dotenv.read(path) == {"A": "2"}


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=\xff\xfe")
    with pytest.raises(UnreadableConfig, match=r"\.env cannot be read"):
        dotenv.read(path)
