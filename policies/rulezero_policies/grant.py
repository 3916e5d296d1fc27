"""One question to a person, and what a yes is worth."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from rulezero_policies.plan import digest

Level = Literal["client", "secret", "passkey"]
Channel = Literal["form elicitation", "approval page", "terminal"]
Answer = Literal["approved", "declined", "not presented", "expired"]

TOKEN_PREFIX = "rz1_"  # noqa: S105
TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """One question about one plan, answered at most once.

    `principal` is who wants to run the plan (the person's client); `person` is who may answer on
    the page or in a terminal. `channel` is how it is asked: a question of the channel "approval
    page" may be answered in a terminal as well. `needs` is the level that its answer must reach.
    `shown` says when a person's page or terminal first showed it. Once it is answered, `level`,
    `approver` and `through` say what the answer was worth, who gave it and where; `claimed`, that
    the client that asked was told.
    """

    nonce: str
    plan_digest: str
    principal: str
    person: str
    channel: Channel
    needs: Level
    created: datetime
    expires: datetime
    shown: datetime | None = None
    answer: Answer | None = None
    level: Level | None = None
    approver: str | None = None
    through: Channel | None = None
    claimed: bool = False
    chosen: tuple[str, ...] = ()
    """The ids of the renames that the person called renames; every other candidate is none."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """That a person was there: who, how well it was shown, for which question and no other."""

    nonce: str
    person: str
    level: Level
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a person's yes gives: one run of one plan on one database, soon. Holds only the hash.

    `chosen` are the ids of the renames that the person called renames.
    """

    token_hash: str
    plan_digest: str
    database: str
    principal: str
    approver: str
    channel: Channel
    level: Level
    created: datetime
    expires: datetime
    chosen: tuple[str, ...] = ()
    spent: datetime | None = None

    @property
    def mark(self) -> str:
        """Names the grant as it was given; the audit trail holds it, so that an edit is seen."""
        return digest(replace(self, spent=None))


@dataclass(frozen=True, kw_only=True)
class Permit:
    """A grant that has been spent, in the hand of the executor. Runners take nothing else."""

    plan_digest: str
    token_hash: str
    spent: datetime
    chosen: tuple[str, ...] = ()


def token_hash(token: str) -> str:
    """SHA-256 of the token, in hex; the token itself is never stored."""
    return hashlib.sha256(_bytes(token)).hexdigest()


def looks_like_token(token: str) -> bool:
    """Whether this could be one of ours: the prefix and 256 bits in hex."""
    body = token.removeprefix(TOKEN_PREFIX)
    return (
        token.startswith(TOKEN_PREFIX)
        and len(body) == 2 * TOKEN_BYTES
        and all(c in "0123456789abcdef" for c in body)
    )


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(text: str) -> bytes:
    """What a client sends may hold lone surrogates; they are no reason to fail."""
    return text.encode("utf-8", "surrogatepass")
