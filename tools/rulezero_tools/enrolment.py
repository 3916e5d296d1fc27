"""What a person enrolled, and proving by it that they are there."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from rulezero_policies import decision
from rulezero_policies.audit import Event
from rulezero_policies.errors import (
    GateError,
    LockedOut,
    NotEnrolled,
    PasskeyRefused,
    WeakPin,
    WrongPin,
)
from rulezero_policies.grant import Challenge, Channel, Level, Proof, same
from rulezero_policies.plan import digest, plan_id_of
from rulezero_policies.text import scrub, visible
from rulezero_tools.ports import Desk, PinHasher
from rulezero_tools.records import Passkey, Pin

E = TypeVar("E", bound=GateError)

SHORTEST = 6
"""Characters of a PIN, at least."""

NOWHERE = "(enrolment)"
"""Stands for the project in audit entries that are about none."""


def enrolled(desk: Desk) -> Level | None:
    """The best level that this person can prove."""
    if desk.store.passkeys(desk.person):
        return "passkey"
    return "secret" if desk.store.pin(desk.person) else None


def enroll_pin(desk: Desk, hasher: PinHasher, pin: str, *, old: str | None = None) -> None:
    """Enroll a PIN, or replace it by proving the old one.

    Raises:
        WeakPin: It can be guessed.
        WrongPin: The old one is wrong, or was not given; it counts as a try.
        LockedOut: Too many were wrong.
        PasskeyRefused: Only a passkey is enrolled: a PIN cannot be put beside it without it.
    """
    _strong(pin)
    if desk.store.pin(desk.person) is not None:
        check_pin(desk, hasher, old or "")
    elif desk.store.passkeys(desk.person):
        raise PasskeyRefused(reason="only a passkey is enrolled, and a PIN would be weaker")
    desk.store.save_pin(Pin(person=desk.person, hash=hasher.hash(pin)))
    note(desk, "enrolled", "a PIN")


def enroll_passkey(desk: Desk, passkey: Passkey) -> None:
    """Keep a passkey that was just made. The caller has had the PIN or an older passkey proved."""
    desk.store.save_passkey(passkey)
    note(desk, "enrolled", f"passkey {passkey.name}")


def check_pin(desk: Desk, hasher: PinHasher, pin: str) -> None:
    """Pass if it is this person's PIN; every try is counted before it is looked at.

    Raises:
        NotEnrolled: There is none.
        WrongPin: It is not; with how many tries are left.
        LockedOut: Too many were wrong, or two were tried at the same time.
    """
    kept = desk.store.pin(desk.person)
    if kept is None:
        raise NotEnrolled(person=desk.person, what="PIN")
    try:
        locked_out(desk)
    except LockedOut as error:
        raise _refused(desk, error) from None
    if not desk.store.try_pin(desk.person, kept.failures, desk.clock.now()):
        until = "another try, made at the same time, is done"
        raise _refused(desk, LockedOut(person=desk.person, until=until))
    if hasher.matches(kept.hash, pin):
        desk.store.pin_was_right(desk.person)
        return
    left = max(0, desk.policy.pin_attempts - kept.failures - 1)
    said = f"wrong PIN, number {kept.failures + 1} in a row"
    note(desk, "refused" if left else "locked out", said)
    then = f"{left} more before it locks" if left else "it is locked now"
    raise WrongPin(left=left, then=then)


def locked_out(desk: Desk) -> None:
    """Pass unless this person's PIN is locked.

    Raises:
        LockedOut: Until when.
    """
    kept = desk.store.pin(desk.person)
    if kept is None:
        return
    until = decision.locked_until(
        failures=kept.failures, last=kept.last_failure, policy=desk.policy, now=desk.clock.now()
    )
    if until is not None:
        raise LockedOut(person=desk.person, until=f"{until:%Y-%m-%d %H:%M} UTC")


def prove_by_pin(
    desk: Desk, hasher: PinHasher, challenge: Challenge, pin: str, *, channel: Channel
) -> Proof:
    """That the person who knows the PIN answers this question.

    Raises:
        GateError: As `check_pin`.
    """
    check_pin(desk, hasher, pin)
    return Proof(nonce=challenge.nonce, person=desk.person, level="secret", channel=channel)


def prove_by_passkey(desk: Desk, challenge: Challenge, used: Passkey) -> Proof:
    """That this person's passkey signed this question. The caller has verified the signature.

    Args:
        desk: Where the person answers.
        challenge: What was signed.
        used: The passkey, with the sign count that came with the signature.

    Raises:
        PasskeyRefused: It is not one of this person's, or it was copied (its count went back).
    """
    mine = next((k for k in desk.store.passkeys(desk.person) if same(k.id, used.id)), None)
    if mine is None or mine.public_key != used.public_key:
        raise _refused(desk, PasskeyRefused(reason="it is not enrolled here"))
    if used.sign_count <= mine.sign_count and (used.sign_count or mine.sign_count):
        reason = "its counter went back: it may have been copied"
        raise _refused(desk, PasskeyRefused(reason=reason))
    desk.store.save_passkey(used)
    return Proof(
        nonce=challenge.nonce, person=desk.person, level="passkey", channel="approval page"
    )


def passkey_challenge(challenge: Challenge, database: str) -> str:
    """What a passkey signs, as text to be hashed: the plan, the database and the question."""
    return f"{challenge.plan_digest}|{database}|{challenge.nonce}"


def answered_with_yes(
    nonce: str, level: Level, channel: Channel, chosen: Sequence[str] = ()
) -> str:
    """What the audit trail says of a yes; without it, the row in the store is nothing.

    What was chosen is named by its digest, as names may be cut off.
    """
    said = f"question {nonce}: yes, level {level} by {channel}"
    return f"{said}, {len(chosen)} renames {digest(tuple(chosen))}" if chosen else said


def note(desk: Desk, event: Event, detail: str, *, challenge: Challenge | None = None) -> None:
    """Record what a person did, under their own name."""
    plan = None if challenge is None else desk.store.plan(plan_id_of(challenge.plan_digest))
    desk.store.append(
        at=desk.clock.now(),
        event=event,
        project=plan.project if plan else NOWHERE,
        principal=desk.person,
        plan_id=plan.plan_id if plan else None,
        detail=visible(scrub(detail)),
    )


def _refused(desk: Desk, error: E) -> E:
    note(desk, "refused", f"{error.code}: {error}")
    return error


def _strong(pin: str) -> None:
    if len(pin) < SHORTEST:
        raise WeakPin(reason=f"it has fewer than {SHORTEST} characters")
    steps = {ord(b) - ord(a) for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise WeakPin(reason="it is one character repeated, or a sequence")
