"""How long a rehearsal held which lock: from its statement to the end of the transaction."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.rehearsal import Leg, Lock, Sent

Blocks = Literal["reads and writes", "writes", "other schema changes", "little"]
"""What has to wait for a lock; "little" is what an ordinary SELECT or INSERT takes as well."""

_MODES: dict[str, Blocks] = {
    # PostgreSQL, as pg_locks calls them: https://www.postgresql.org/docs/current/explicit-locking.html
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
    "ShareUpdateExclusiveLock": "other schema changes",
    "RowExclusiveLock": "little",
    "RowShareLock": "little",
    "AccessShareLock": "little",
    # MariaDB, as its plugin METADATA_LOCK_INFO calls them.
    "MDL_EXCLUSIVE": "reads and writes",
    "MDL_SHARED_NO_READ_WRITE": "reads and writes",
    "MDL_SHARED_NO_WRITE": "writes",
    "MDL_SHARED_UPGRADABLE": "other schema changes",
    "MDL_SHARED_WRITE": "little",
    "MDL_SHARED_READ": "little",
    "MDL_SHARED": "little",
}
_ORDER: tuple[Blocks, ...] = ("reads and writes", "writes", "other schema changes", "little")

_MADE = re.compile(
    r"\s*CREATE\s+(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|MATERIALIZED|OR|REPLACE)\s+)*"
    r"(?:TABLE|INDEX(?:\s+CONCURRENTLY)?|SEQUENCE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>(?:\"[^\"]+\"|`[^`]+`|[\w$]+)(?:\.(?:\"[^\"]+\"|`[^`]+`|[\w$]+))?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A lock from `start` to `end`, in seconds as `Sent` counts them."""

    leg: Leg
    relation: str
    mode: str
    start: float
    end: float

    @property
    def blocks(self) -> Blocks:
        """What has to wait for it; a lock that is not known counts as the worst."""
        return blocks(self.mode)

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end - self.start


def blocks(mode: str) -> Blocks:
    """What has to wait for a lock of this mode; one that is not known counts as the worst."""
    return _MODES.get(mode, "reads and writes")


def held(sent: Sequence[Sent]) -> tuple[Held, ...]:
    """The locks of each transaction, the strongest of each relation, in the order taken.

    What the leg itself made is left out: nobody else waits for it.
    """
    ends = _ends(sent)
    found: dict[tuple[Leg, int | None, str], Held] = {}
    made: dict[Leg, set[str]] = {}
    for one in sent:
        own = made.setdefault(one.leg, set())
        own |= _made(one)
        for lock in one.locks or ():
            key = (one.leg, one.transaction, lock.relation)
            if not _is_own(lock.relation, own) and _stronger(lock, found.get(key)):
                found[key] = _held(one, lock, ends)
    return tuple(sorted(found.values(), key=lambda h: (h.start, h.relation)))


def _ends(sent: Iterable[Sent]) -> dict[tuple[Leg, int], float]:
    ends: dict[tuple[Leg, int], float] = {}
    for one in sent:
        if one.transaction is not None:
            key = (one.leg, one.transaction)
            ends[key] = max(ends.get(key, 0.0), one.start + one.seconds)
    return ends


def _held(one: Sent, lock: Lock, ends: dict[tuple[Leg, int], float]) -> Held:
    alone = one.start + one.seconds
    end = alone if one.transaction is None else ends[one.leg, one.transaction]
    return Held(leg=one.leg, relation=lock.relation, mode=lock.mode, start=one.start, end=end)


def _stronger(lock: Lock, known: Held | None) -> bool:
    return known is None or _ORDER.index(blocks(lock.mode)) < _ORDER.index(known.blocks)


def _made(one: Sent) -> set[str]:
    match = _MADE.match(one.sql)
    named = {_plain(match["name"])} if match else set[str]()
    return named | {_plain(name) for name in one.builds}


def _plain(name: str) -> str:
    """Without quotes and schema: whether the default schema is named depends on who says it."""
    return re.sub(r"[\"`]", "", name).rpartition(".")[2]


def _is_own(relation: str, made: set[str]) -> bool:
    """Whether it is one of those, or belongs to one by its name (`users_pkey`, `users_id_seq`)."""
    name = _plain(relation)
    if name in made:
        return True
    return name.endswith(("_pkey", "_seq", "_key")) and any(name.startswith(f"{m}_") for m in made)
