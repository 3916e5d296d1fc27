"""One question to a person, and what a yes is worth."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Level = Literal["client", "secret", "passkey"]
Channel = Literal["form elicitation"]
Answer = Literal["approved", "declined", "not presented"]

TOKEN_PREFIX = "rz1_"  # noqa: S105
TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """One question about one plan, answered at most once."""

    nonce: str
    plan_digest: str
    principal: str
    channel: Channel
    created: datetime
    expires: datetime
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a person's yes gives: one run of one plan on one database, soon. Holds only the hash."""

    token_hash: str
    plan_digest: str
    database: str
    principal: str
    approver: str
    channel: Channel
    level: Level
    created: datetime
    expires: datetime
    spent: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Permit:
    """A grant that has been spent, in the hand of the executor. Runners take nothing else."""

    plan_digest: str
    token_hash: str
    spent: datetime


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
