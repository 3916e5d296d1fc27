"""Passkeys: what a browser is asked for, and what of its answers counts.

The relying party is `localhost`, as the page is; the origin has to fit to the port. Every answer
must say that the authenticator verified the person, not only that somebody touched it.
"""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from rulezero_policies.errors import PasskeyRefused
from rulezero_policies.text import visible
from rulezero_tools.records import Passkey

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

RP_ID = "localhost"
"""A name and not an address, without the port: the same on every run."""

NAME = "rulezero"

_TIMEOUT = 120_000
"""Milliseconds that the browser lets the person look for the key."""


def bytes_to_sign(text: str) -> bytes:
    """What is signed for `text` (`enrolment.passkey_challenge`): its SHA-256."""
    return hashlib.sha256(text.encode()).digest()


def ask_for(keys: Sequence[Passkey], text: str) -> str:
    """What the browser is given to have `text` signed by one of `keys`, as JSON."""
    import webauthn  # noqa: PLC0415 - start-up time
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

    options = webauthn.generate_authentication_options(
        rp_id=RP_ID,
        challenge=bytes_to_sign(text),
        timeout=_TIMEOUT,
        allow_credentials=[_descriptor(key) for key in keys],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def signed_by(keys: Sequence[Passkey], answer: str, *, text: str, origin: str) -> Passkey:
    """The key that signed `text`, with the count that came with the signature.

    Args:
        keys: Those that are enrolled.
        answer: The browser's answer, as JSON.
        text: What it was to sign.
        origin: Where the page was, with the port.

    Raises:
        PasskeyRefused: It is none of these keys, or not this text, place or person.
    """
    import webauthn  # noqa: PLC0415 - start-up time
    from webauthn import base64url_to_bytes, helpers  # noqa: PLC0415

    with _one_sentence("its answer cannot be read"):
        given = helpers.parse_authentication_credential_json(answer)
    key = next((k for k in keys if base64url_to_bytes(k.id) == given.raw_id), None)
    if key is None:
        raise PasskeyRefused(reason="it is not enrolled here")
    with _one_sentence("it did not verify you, or it signed something else than this question"):
        done = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=bytes_to_sign(text),
            expected_rp_id=RP_ID,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            # Whether the count went back is decided, and said, by `enrolment.prove_by_passkey`.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    return replace(key, sign_count=done.new_sign_count)


def offer(person: str, keys: Sequence[Passkey], text: str) -> str:
    """What the browser is given to make a passkey for `person`, as JSON.

    Args:
        person: Whose it will be.
        keys: Those they have; the same authenticator is not enrolled twice.
        text: Fresh for this page; the answer has to hold its hash.
    """
    import webauthn  # noqa: PLC0415 - start-up time
    from webauthn.helpers import structs  # noqa: PLC0415

    options = webauthn.generate_registration_options(
        rp_id=RP_ID,
        rp_name=NAME,
        user_name=person,
        user_id=hashlib.sha256(person.encode()).digest(),
        challenge=bytes_to_sign(text),
        timeout=_TIMEOUT,
        exclude_credentials=[_descriptor(key) for key in keys],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
    )
    return webauthn.options_to_json(options)


def made(answer: str, *, text: str, origin: str, person: str, name: str, now: datetime) -> Passkey:
    """The passkey that the browser made.

    Args:
        answer: The browser's answer, as JSON.
        text: What was given to `offer`.
        origin: Where the page was, with the port.
        person: Whose it is.
        name: What they call it.
        now: The time.

    Raises:
        PasskeyRefused: It cannot verify the person, or was made for another page.
    """
    import webauthn  # noqa: PLC0415 - start-up time
    from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415

    with _one_sentence("it cannot verify you, or it was made for another page"):
        done = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=bytes_to_sign(text),
            expected_rp_id=RP_ID,
            expected_origin=origin,
            require_user_verification=True,
        )
    return Passkey(
        id=bytes_to_base64url(done.credential_id),
        person=person,
        public_key=bytes_to_base64url(done.credential_public_key),
        sign_count=done.sign_count,
        created=now,
        name=visible(" ".join(name.split()), limit=60) or "a passkey",
    )


def _descriptor(key: Passkey) -> "PublicKeyCredentialDescriptor":
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415 - start-up time
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor  # noqa: PLC0415

    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.id))


@contextmanager
def _one_sentence(reason: str) -> Generator[None]:
    """Whatever a hostile answer makes the parsers raise, the person hears `reason`."""
    try:
        yield
    except Exception as error:
        raise PasskeyRefused(reason=reason) from error
