"""What people read hides nothing and holds no secret."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.text import scrub, visible

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
PASSWORDS = st.text(
    st.characters(exclude_categories=["Z", "C"], codec="utf-8"), min_size=6, max_size=30
)


@given(st.text(max_size=60))
def test_no_control_or_bidirectional_character_is_left(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in HIDDEN]


@given(st.text(st.characters(categories=["L", "N", "P"], codec="ascii"), max_size=60))
def test_plain_text_stands_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\x1b",
        "\x00",
        "\n",
        "\u3164",
        "\ufe0f",
        "\U000e0101",
        "\ud800",
        "\u2028",
    ],
)
def test_a_hidden_character_is_written_out_with_its_number(hidden: str) -> None:
    assert visible(f"a{hidden}b") == f"a<U+{ord(hidden):04X}>b"


def test_line_breaks_stand_only_where_they_may() -> None:
    assert visible("a\nb", lines=True) == "a\nb"
    assert visible("a\rb", lines=True) == "a<U+000D>b"


def test_what_is_cut_is_counted() -> None:
    assert visible("abcdef", limit=4) == "abcd… (2 more characters)"


@given(PASSWORDS)
def test_no_password_of_a_url_is_left(password: str) -> None:
    text = scrub(f"could not connect to postgresql+psycopg://ann:{password}@db.example/shop now")
    assert text == "could not connect to postgresql+psycopg://ann:***@db.example/shop now"


@given(PASSWORDS.filter(lambda p: not set(p) & set("'\",;&)")))
def test_no_password_of_a_key_is_left(password: str) -> None:
    assert scrub(f"dbname=shop password={password}") == "dbname=shop password=***"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mysql://ann@corp:s3cret@host/x", "mysql://ann@corp:***@host/x"),
        ("redis://:s3cret@host", "redis://:***@host"),
        ("pg://u:s3'cret@host", "pg://u:***@host"),
        ("pg://u:s3/cr@et@host", "pg://u:***@host"),
        ("PGPASSWORD=s3cret", "PGPASSWORD=***"),
        ("db_password = 's3 cret'", "db_password = ***"),
        ('{"password": "s3 cret"}', '{"password": ***}'),
        ("api_key: s3cret", "api_key: ***"),
        ("CREATE ROLE ann PASSWORD 's3cret'", "CREATE ROLE ann PASSWORD ***"),
        ("IDENTIFIED BY 's3cret'", "IDENTIFIED BY ***"),
        ("see http://host:8080/path", "see http://host:8080/path"),
    ],
)
def test_a_secret_is_taken_out_in_every_shape(text: str, clean: str) -> None:
    assert scrub(text) == clean
