"""What a token is, and how it is compared."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.grant import (
    TOKEN_PREFIX,
    Grant,
    looks_like_token,
    same,
    token_hash,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)

BODY = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(BODY)
def test_a_prefix_and_256_bits_of_hex_look_like_a_token(body: str) -> None:
    assert looks_like_token(TOKEN_PREFIX + body)


@given(st.text(max_size=80))
def test_other_text_does_not_look_like_a_token(text: str) -> None:
    assert not looks_like_token(text)


def test_a_body_of_wrong_length_or_letters_does_not_look_like_a_token() -> None:
    assert not looks_like_token("a" * 64)
    assert not looks_like_token(TOKEN_PREFIX + "a" * 63)
    assert not looks_like_token(TOKEN_PREFIX + "A" * 64)


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_equal_texts_are_the_same(one: str, other: str) -> None:
    assert same(one, other) == (one == other)
    assert (token_hash(one) == token_hash(other)) == (one == other)


def test_text_that_is_no_unicode_is_compared_without_an_error() -> None:
    assert not same("\ud800", "a")
    assert len(token_hash("\ud800")) == 64


GRANT = Grant(
    token_hash="c" * 64,
    plan_digest="d" * 64,
    database="sqlite:/shop.db (1:2)",
    principal="ann@here via test",
    approver="ann@here",
    channel="approval page",
    level="secret",
    created=NOW,
    expires=NOW + timedelta(minutes=10),
)


@pytest.mark.proves("D10", "C03")
@pytest.mark.parametrize("name", [f.name for f in fields(Grant) if f.name != "spent"])
def test_the_mark_names_everything_that_was_given(name: str) -> None:
    value = GRANT.expires + timedelta(seconds=1) if name in {"created", "expires"} else "other"
    assert replace(GRANT, **{name: value}).mark != GRANT.mark


def test_a_grant_keeps_its_mark_when_it_is_spent() -> None:
    assert replace(GRANT, spent=NOW).mark == GRANT.mark
