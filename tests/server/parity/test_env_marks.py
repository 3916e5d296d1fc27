"""What may be told of a value."""

import subprocess
import sys

import pytest

from rulezero_policies.parity.values import Shape, State
from rulezero_server.parity import marks
from rulezero_server.parity.assigned import Assigned


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("true", "boolean"),
        ("No", "boolean"),
        ("on", "boolean"),
        ("1", "number"),
        ("-2.5", "number"),
        ("10_000", "number"),
        ("postgresql://u:p@h/d", "url"),
        ("https://example.com/path", "url"),
        ("a\nb", "lines"),
        ("word", "text"),
        ("c:/folder", "text"),
    ],
)
def test_a_value_has_a_shape(value: str, shape: Shape) -> None:
    assert marks.shape(value) == shape


@pytest.mark.parametrize(
    ("value", "state"),
    [("1", "on"), ("TRUE", "on"), (" yes ", "on"), ("", "off"), ("off", "off"), ("2", "other")],
)
def test_a_value_means_something_to_a_flag(value: str, state: State) -> None:
    assert marks.state(value) == state


@pytest.mark.parametrize(
    "value",
    [
        *("changeme", "CHANGE_ME", "changethis", "please-change-me", "changeme123"),
        *("CHANGE_ME_IN_PRODUCTION", "REPLACE_ME__rulezero_placeholder", "replace-with-your-key"),
        *("your-key", "your_secret_key", "yourpassword", "Your Company", "sk-your-key-here"),
        *("enter-your-key", "secret-key-here", "<password>", "[your key]", "{{ secret }}"),
        *(
            "xxx",
            "XXXX-XXXX",
            "sk-xxxxxxxx",
            "TODO",
            "TODO: ask",
            "TBD",
            "...",
            "***",
            "placeholder",
        ),
        *("https://your-project.example.co", "postgres://app:changeme@db/x"),
        *("postgresql://<user>:<password>@host/name", "not-set", "to be filled"),
    ],
)
def test_what_holds_the_place_of_a_value_is_a_placeholder(value: str) -> None:
    assert marks.shape(value) == "placeholder"


@pytest.mark.parametrize(
    "value",
    [
        *("https://example.com", "user@example.com", "localhost", "App <noreply@example.com>"),
        *("Change the world", "Welcome to your new account", "Your daily news", "yourself"),
        *(
            "secret",
            "password",
            "none",
            "null",
            "dummy",
            "key",
            "/here",
            "s3://there",
            "America/Lima",
        ),
        *("todolist", "exchange-mempool", "AKIA1234567890ABCDEF", "sk-live-abcdxxxxef", "max-xxl"),
        *("<b>hello</b>", "reset-me-not", "interchangeme", "a" * 300 + " changeme"),
    ],
)
def test_what_only_looks_like_one_is_none(value: str) -> None:
    assert marks.shape(value) != "placeholder"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("postgresql://user:secret@host/name", True),
        ("postgresql://user@host/name", False),
        ("https://host/path", False),
        ("user:secret@host", False),
        ("http://[broken@host", True),
    ],
)
def test_whether_an_address_holds_a_password_is_told(value: str, told: bool) -> None:
    assert marks.entry(Assigned(key="A", line=1, value=value), "f").credentials is told


@pytest.mark.proves("B15")
def test_a_mark_is_equal_for_equal_values_in_one_process_and_in_no_other() -> None:
    assert marks.mark("secret") == marks.mark("secret") != marks.mark("secret ")
    code = "from rulezero_server.parity import marks; print(marks.mark('secret'))"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert len(other) == len(marks.mark("secret"))
    assert other != marks.mark("secret")
