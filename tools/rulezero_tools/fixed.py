"""What `fix` answers with."""

from dataclasses import dataclass
from typing import Literal

from rulezero_policies.findings import Finding, Risk, Verdict


@dataclass(frozen=True, kw_only=True)
class Mending:
    """A finding and what cures it, or why it stays."""

    rule: str
    subject: str
    what: str


@dataclass(frozen=True, kw_only=True)
class FixReview:
    """What the review of the rewritten revision says; its plan is what `confirm` asks about."""

    verdict: Verdict
    risk: Risk
    findings: tuple[Finding, ...]
    because: str
    rehearsed: bool
    plan_id: str | None


@dataclass(frozen=True, kw_only=True)
class FixResult:
    """The revision as it was rewritten, or would be; nothing was applied.

    `kept` is where the old file is.
    """

    status: Literal["rewritten", "shown", "unchanged"]
    revision: str
    path: str
    kept: str | None
    diff: str
    cured: tuple[Mending, ...]
    not_cured: tuple[Mending, ...]
    review: FixReview | None
    next_step: str
