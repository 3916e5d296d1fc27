"""What of a passkey's answers counts, and what does not."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rulezero_policies.errors import PasskeyRefused
from rulezero_server.approval import passkeys

ORIGIN = "http://localhost:4242"
TEXT = "digest|postgresql:localhost/shop|nonce-1"

pytestmark = pytest.mark.proves("C03", "D04")


def test_a_signature_over_this_question_counts(soft_key: Any) -> None:
    answer = soft_key.sign(TEXT, origin=ORIGIN)
    used = passkeys.signed_by((soft_key.passkey(),), answer, text=TEXT, origin=ORIGIN)
    assert (used.id, used.sign_count) == (soft_key.passkey().id, 1)


def _of_another_question(key: Any) -> str:
    return key.sign("digest|postgresql:localhost/shop|nonce-2", origin=ORIGIN)


def _of_another_port(key: Any) -> str:
    return key.sign(TEXT, origin="http://localhost:4243")


def _without_the_person(key: Any) -> str:
    return key.sign(TEXT, origin=ORIGIN, verified=False)


def _of_another_site(key: Any) -> str:
    return key.sign(TEXT, origin=ORIGIN, rp="example.com")


def _of_another_key(key: Any) -> str:
    return type(key)().sign(TEXT, origin=ORIGIN)


def _of_an_unknown_key(key: Any) -> str:
    return type(key)(id=b"unknown").sign(TEXT, origin=ORIGIN)


def _made_instead_of_signed(key: Any) -> str:
    return key.create(TEXT, origin=ORIGIN)


@pytest.mark.parametrize(
    "lie",
    [
        _of_another_question,
        _of_another_port,
        _without_the_person,
        _of_another_site,
        _of_another_key,
        _of_an_unknown_key,
        _made_instead_of_signed,
    ],
)
def test_a_signature_of_something_else_does_not_count(
    soft_key: Any, lie: Callable[[Any], str]
) -> None:
    with pytest.raises(PasskeyRefused):
        passkeys.signed_by((soft_key.passkey(),), lie(soft_key), text=TEXT, origin=ORIGIN)


@pytest.mark.parametrize("answer", ["", "null", "[]", "{}", '{"id": 3}', "\x00", "[" * 100_000])
def test_an_answer_that_cannot_be_read_is_refused_in_one_sentence(
    soft_key: Any, answer: str
) -> None:
    with pytest.raises(PasskeyRefused, match="its answer cannot be read"):
        passkeys.signed_by((soft_key.passkey(),), answer, text=TEXT, origin=ORIGIN)
    with pytest.raises(PasskeyRefused, match="it cannot verify you"):
        _made(answer)


def _made(answer: str, name: str = "blue key") -> Any:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return passkeys.made(answer, text=TEXT, origin=ORIGIN, person="ann@box", name=name, now=now)


def test_a_made_passkey_is_kept_under_its_name(soft_key: Any) -> None:
    kept = _made(soft_key.create(TEXT, origin=ORIGIN), name=" blue \u202e key ")
    assert kept.id == soft_key.passkey().id
    assert kept.public_key == soft_key.passkey().public_key
    assert (kept.person, kept.name) == ("ann@box", "blue <U+202E> key")
    assert _made(soft_key.create(TEXT, origin=ORIGIN), name="").name == "a passkey"


@pytest.mark.parametrize("lie", [{"verified": False}, {"origin": "http://localhost:1"}])
def test_a_passkey_that_cannot_verify_the_person_is_not_enrolled(
    soft_key: Any, lie: dict[str, Any]
) -> None:
    with pytest.raises(PasskeyRefused):
        _made(soft_key.create(TEXT, **{"origin": ORIGIN, **lie}))


def test_the_browser_is_told_to_verify_the_person_and_which_keys_count(soft_key: Any) -> None:
    asked = passkeys.ask_for((soft_key.passkey(),), TEXT)
    assert '"userVerification": "required"' in asked
    assert soft_key.passkey().id in asked
    offered = passkeys.offer("ann@box", (soft_key.passkey(),), TEXT)
    assert '"userVerification": "required"' in offered
    assert '"id": "localhost"' in offered
