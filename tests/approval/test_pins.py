"""PINs are kept as argon2id hashes."""

from rulezero_server.approval import Argon2Hasher


def test_a_pin_matches_its_own_hash_and_no_other() -> None:
    hasher = Argon2Hasher()
    hashed = hasher.hash("open sesame")
    assert hashed.startswith("$argon2id$")
    assert hasher.matches(hashed, "open sesame")
    assert not hasher.matches(hashed, "open sesam")
    assert hasher.hash("open sesame") != hashed


def test_a_hash_that_cannot_be_read_matches_nothing() -> None:
    assert not Argon2Hasher().matches("plain:open sesame", "open sesame")
    assert not Argon2Hasher().matches("", "")


def test_a_pin_of_any_characters_can_be_hashed() -> None:
    hasher = Argon2Hasher()
    assert hasher.matches(hasher.hash("пароль \udcff"), "пароль \udcff")
