"""What a review says: findings with their evidence, and facts counted on the live database."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["CRITICAL", "WARNING"]
Risk = Literal["SAFE", "WARNING", "CRITICAL"]
Verdict = Literal["SAFE", "NEEDS_CHANGES", "UNSAFE"]
Outcome = Literal["will_fail", "may_fail", "loses_data", "blocks", "design", "unknown"]
Probe = Literal["rows", "values", "nulls"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One hazard, with what was seen and what to do instead."""

    rule: str
    severity: Severity
    subject: str
    evidence: str
    outcome: Outcome
    fix: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to count on the target: rows of a table, or non-null values / NULLs of a column."""

    probe: Probe
    table: str
    schema: str | None = None
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """An answer from the live database.

    `count` is None where it could not be asked; it is then unknown, never zero. `at_least` says
    that counting stopped at the bound. `sample` holds keys, never values of other columns.
    """

    question: str
    count: int | None
    sample: tuple[str, ...] = ()
    asked: Question
    at_least: bool = False

    @property
    def amount(self) -> str:
        """The count in words."""
        if self.count is None:
            return "an unknown number"
        return f"at least {self.count}" if self.at_least else str(self.count)
