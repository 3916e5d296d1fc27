"""What stopped a run: the error, the statement, the rows in the way, and what to do about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rulezero_policies.findings import Fact, Probe

_ADVICE: Mapping[Probe, str] = {
    "nulls": "Give those rows a value first, in the revision before this statement or by hand",
    "duplicates": "Decide which of those rows stay, and merge or change the others",
    "orphans": "Give those rows a parent that exists, set the reference to NULL, or remove them",
    "violations": "Change those rows so that they meet the condition, or the condition",
    "misfits": "Shorten those values, or choose a wider type",
    "uncastable": "Change those values to what the new type reads, or convert them with USING",
}

_KEYS = 5
"""Keys that a sentence names."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """What a database's error says that a statement hit."""

    table: str | None = None
    schema: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    constraint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What stopped a run, and which questions have the rows in the way for an answer.

    `error` is the database's own words without values of rows, `probes` kinds of `Question`.
    """

    kind: str
    error: str
    hit: Hit = field(default_factory=Hit)
    probes: tuple[Probe, ...] = ()
    statement: str = ""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What stopped a run.

    `error` is the database's own words without values of rows. `rows` are those in the way: how
    many, and the keys of a few; None where the error is about no rows, or they could not be asked.
    `place` is the revision's file and line.
    """

    kind: str
    error: str
    statement: str | None = None
    revision: str | None = None
    place: str | None = None
    table: str | None = None
    constraint: str | None = None
    rows: Fact | None = None

    @property
    def in_the_way(self) -> str:
        """The rows in one sentence; empty where nothing is known of any."""
        if self.rows is None or self.rows.count is None:
            return ""
        if not self.rows.count:
            return (
                f"There are no {self.rows.question} now: the run brought its own, or they are gone."
            )
        keys = ", ".join(self.rows.sample[:_KEYS])
        named = f" (keys {keys})" if keys else ""
        return f"In the way: {self.rows.question}: {self.rows.amount}{named}."

    @property
    def advice(self) -> str:
        """What to do about the rows; empty where none are known to be in the way."""
        if self.rows is None or not self.rows.count:
            return ""
        return f"{_ADVICE[self.rows.asked.probe]}."
