"""Enrolling, and proving by it that a person is there: guesses are counted, slowed and kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from rulezero_policies.errors import (
    GateError,
    LockedOut,
    NotEnrolled,
    PasskeyRefused,
    WeakPin,
    WrongPin,
)
from rulezero_policies.grant import Challenge
from rulezero_policies.policy import Policy
from rulezero_tools import enrolment
from rulezero_tools.ports import Desk, Session
from rulezero_tools.records import Passkey

PIN = "winter-41"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Passkey(
    id="k1", person="ann@here", public_key="pk", sign_count=3, created=NOW, name="ann's laptop"
)
QUESTION = Challenge(
    nonce="n1",
    plan_digest="d" * 64,
    principal="ann@here via test",
    person="ann@here",
    channel="approval page",
    needs="secret",
    created=NOW,
    expires=NOW + timedelta(minutes=10),
)


@pytest.fixture
def desk(session: Session) -> Desk:
    return session.desk


@pytest.fixture
def enrolled(desk: Desk, hasher: Any) -> Desk:
    """A desk whose person has a PIN."""
    enrolment.enroll_pin(desk, hasher, PIN)
    return desk


def guess(desk: Desk, hasher: Any, pin: str = "not it") -> GateError:
    """What the wrong PIN was refused with."""
    with pytest.raises(GateError) as refused:
        enrolment.check_pin(desk, hasher, pin)
    return refused.value


def trail(desk: Desk) -> list[str]:
    return [e.event for e in desk.store.entries()]


@pytest.mark.parametrize("weak", ["", "12345", "111111", "123456", "987654", "abcdef", "      "])
def test_a_pin_that_can_be_guessed_is_not_enrolled(desk: Desk, hasher: Any, weak: str) -> None:
    with pytest.raises(WeakPin):
        enrolment.enroll_pin(desk, hasher, weak)
    assert enrolment.enrolled(desk) is None
    assert trail(desk) == []


@pytest.mark.proves("D04", "D10")
def test_a_pin_is_kept_hashed_and_its_enrolment_recorded(enrolled: Desk) -> None:
    kept = enrolled.store.pin("ann@here")
    assert kept is not None
    assert kept.hash == f"hash of {PIN}"
    [entry] = enrolled.store.entries()
    assert (entry.event, entry.principal, entry.detail) == ("enrolled", "ann@here", "a PIN")
    assert enrolment.enrolled(enrolled) == "secret"


@pytest.mark.proves("D04")
@pytest.mark.parametrize("old", [None, "", "wrong-1"])
def test_a_pin_is_not_replaced_without_the_old_one(
    enrolled: Desk, hasher: Any, old: str | None
) -> None:
    with pytest.raises(WrongPin):
        enrolment.enroll_pin(enrolled, hasher, "another-7", old=old)
    enrolment.check_pin(enrolled, hasher, PIN)


def test_a_pin_is_replaced_by_who_knows_the_old_one(enrolled: Desk, hasher: Any) -> None:
    enrolment.enroll_pin(enrolled, hasher, "another-7", old=PIN)
    enrolment.check_pin(enrolled, hasher, "another-7")
    assert isinstance(guess(enrolled, hasher, PIN), WrongPin)


def test_guessing_the_old_pin_to_replace_it_locks_as_well(enrolled: Desk, hasher: Any) -> None:
    for _ in range(5):
        with pytest.raises(WrongPin):
            enrolment.enroll_pin(enrolled, hasher, "another-7", old="wrong-1")
    with pytest.raises(LockedOut):
        enrolment.enroll_pin(enrolled, hasher, "another-7", old=PIN)


def test_no_pin_is_put_beside_a_passkey_without_it(desk: Desk, hasher: Any) -> None:
    enrolment.enroll_passkey(desk, KEY)
    assert enrolment.enrolled(desk) == "passkey"
    with pytest.raises(PasskeyRefused, match="weaker"):
        enrolment.enroll_pin(desk, hasher, PIN)


def test_a_passkeys_name_is_recorded_without_what_hides_in_it(desk: Desk) -> None:
    enrolment.enroll_passkey(desk, replace(KEY, name="key\u202e\npassword=hunter2"))
    [entry] = desk.store.entries()
    assert entry.detail == "passkey key<U+202E><U+000A>password=***"


def test_without_a_pin_there_is_none_to_check(desk: Desk, hasher: Any) -> None:
    with pytest.raises(NotEnrolled):
        enrolment.check_pin(desk, hasher, PIN)


@pytest.mark.proves("C03", "D10")
def test_wrong_pins_are_counted_recorded_and_lock(enrolled: Desk, hasher: Any, clock: Any) -> None:
    said = [guess(enrolled, hasher) for _ in range(5)]
    assert [e.facts["left"] for e in said] == [4, 3, 2, 1, 0]
    assert "1 more before it locks" in str(said[-2])
    assert "it is locked now" in str(said[-1])
    assert trail(enrolled) == ["enrolled", *["refused"] * 4, "locked out"]
    looked = hasher.looked
    locked = guess(enrolled, hasher, PIN)
    assert isinstance(locked, LockedOut)
    assert "2026-01-01 12:15 UTC" in str(locked)
    assert hasher.looked == looked, "a locked PIN is not even looked at"
    assert trail(enrolled)[-1] == "refused"
    clock.forward(minutes=15)
    enrolment.check_pin(enrolled, hasher, PIN)


@pytest.mark.proves("C03")
def test_each_lock_is_twice_as_long_up_to_a_day(enrolled: Desk, hasher: Any, clock: Any) -> None:
    for _ in range(4):
        guess(enrolled, hasher)
    for minutes in (15, 30, 60, 120, 240, 480, 960, 1440, 1440):
        assert isinstance(guess(enrolled, hasher), WrongPin)
        clock.forward(minutes=minutes, seconds=-1)
        assert isinstance(guess(enrolled, hasher), LockedOut)
        clock.forward(seconds=1)


@pytest.mark.proves("C03")
def test_a_lock_outlives_the_process_and_is_not_undone_by_another_policy(
    enrolled: Desk, hasher: Any
) -> None:
    for _ in range(5):
        guess(enrolled, hasher)
    for attempts in range(1, 6):
        stricter = replace(enrolled, policy=Policy(pin_attempts=attempts, lock_seconds=900))
        assert isinstance(guess(stricter, hasher, PIN), LockedOut)


def test_the_right_pin_forgets_the_wrong_ones(enrolled: Desk, hasher: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            guess(enrolled, hasher)
        enrolment.check_pin(enrolled, hasher, PIN)


@pytest.mark.proves("C03")
def test_guesses_that_race_do_not_get_more_tries(enrolled: Desk, hasher: Any) -> None:
    barrier = Barrier(20)

    def race(number: int) -> GateError:
        barrier.wait()
        return guess(enrolled, hasher, f"guess-{number}")

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(race, range(20)))
    assert hasher.looked == sum(isinstance(e, WrongPin) for e in said) <= 5


@pytest.mark.proves("D04")
def test_a_pin_proves_one_question_of_its_person(enrolled: Desk, hasher: Any) -> None:
    proof = enrolment.prove_by_pin(enrolled, hasher, QUESTION, PIN, channel="terminal")
    assert (proof.nonce, proof.person, proof.level) == ("n1", "ann@here", "secret")
    with pytest.raises(WrongPin):
        enrolment.prove_by_pin(enrolled, hasher, QUESTION, "wrong-1", channel="terminal")


@pytest.mark.proves("D04")
def test_a_passkey_proves_one_question_and_its_count_is_kept(desk: Desk) -> None:
    enrolment.enroll_passkey(desk, KEY)
    proof = enrolment.prove_by_passkey(desk, QUESTION, replace(KEY, sign_count=4))
    assert (proof.nonce, proof.person, proof.level) == ("n1", "ann@here", "passkey")
    with pytest.raises(PasskeyRefused, match="copied"):
        enrolment.prove_by_passkey(desk, QUESTION, replace(KEY, sign_count=4))


def test_a_passkey_that_never_counts_is_taken(desk: Desk) -> None:
    silent = replace(KEY, sign_count=0)
    enrolment.enroll_passkey(desk, silent)
    for _ in range(2):
        assert enrolment.prove_by_passkey(desk, QUESTION, silent).level == "passkey"


@pytest.mark.proves("C03")
@pytest.mark.parametrize("other", [{"id": "k2"}, {"public_key": "another"}])
def test_a_passkey_that_is_not_enrolled_proves_nothing(desk: Desk, other: dict[str, str]) -> None:
    enrolment.enroll_passkey(desk, KEY)
    with pytest.raises(PasskeyRefused, match="not enrolled"):
        enrolment.prove_by_passkey(desk, QUESTION, replace(KEY, sign_count=9, **other))
    assert trail(desk) == ["enrolled", "refused"]


def test_what_a_passkey_signs_names_plan_database_and_question() -> None:
    signed = enrolment.passkey_challenge(QUESTION, "sqlite:/todo.db (1:2)")
    assert signed == f"{'d' * 64}|sqlite:/todo.db (1:2)|n1"
