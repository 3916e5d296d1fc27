"""The audit trail: every proposal, question, answer, refusal and outcome, each entry chained."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from rulezero_policies.plan import canonical

Event = Literal[
    "analyzed",
    "generated",
    "proposed",
    "asked",
    "answered",
    "approved",
    "declined",
    "not presented",
    "expired",
    "locked out",
    "enrolled",
    "spent",
    "refused",
    "applied",
    "failed",
    "unknown outcome",
]

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened. `detail` holds no secret and no row value."""

    sequence: int
    at: datetime
    event: Event
    project: str
    principal: str
    plan_id: str | None
    detail: str
    previous: str
    hash: str = ""


def chained(entry: Entry) -> Entry:
    """`entry` with its hash over everything it says, the previous entry's hash included."""
    text = canonical(replace(entry, hash=""))
    return replace(entry, hash=hashlib.sha256(text.encode()).hexdigest())


def broken_at(entries: Sequence[Entry]) -> int | None:
    """The sequence number of the first entry that was altered, removed or moved; None if whole."""
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        if entry.sequence != number or entry.previous != previous or chained(entry) != entry:
            return number
        previous = entry.hash
    return None
