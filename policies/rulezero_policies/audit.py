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
    "fixed",
    "proposed",
    "asked",
    "answered",
    "approved",
    "declined",
    "not presented",
    "expired",
    "locked out",
    "enrolled",
    "backed up",
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


def what_is_wrong(
    entries: Sequence[Entry], *, head: tuple[int, str], expect: str | None = None
) -> str | None:
    """What does not hold of a whole trail, in words; None if everything does.

    Args:
        entries: The trail from its first entry on, in order.
        head: Number and hash of the newest entry, as they were kept apart.
        expect: The hash of a head that was noted earlier: it must still be part of the trail.
    """
    broken = broken_at(entries)
    if broken is not None:
        return _how(entries, broken)
    last = (entries[-1].sequence, entries[-1].hash) if entries else (0, GENESIS)
    if last != head:
        return _end(last, head)
    if expect is not None and expect not in {GENESIS, *(e.hash for e in entries)}:
        return f"no entry has the hash {expect}: the trail is not the one it was noted from"
    return None


def _how(entries: Sequence[Entry], number: int) -> str:
    """Why the entry at place `number` is not the one that belongs there."""
    entry = entries[number - 1]
    if chained(entry) != entry:
        return f"entry {entry.sequence} was altered"
    if entry.sequence == number:
        return f"entry {number} does not follow the one before it: what was there was replaced"
    if any(e.sequence == number for e in entries):
        return f"the entries are out of order from entry {number} on"
    return f"entry {number} was removed"


def _end(last: tuple[int, str], head: tuple[int, str]) -> str:
    if last[0] < head[0]:
        gone = f"entry {head[0]} is" if head[0] == last[0] + 1 else f"entries to {head[0]} are"
        return f"cut off at the end: after entry {last[0]}, {gone} gone"
    if last[0] > head[0]:
        return f"the head names entry {head[0]}, but entries to {last[0]} follow it"
    return f"entry {last[0]} is not the one that the head names: it was replaced"
