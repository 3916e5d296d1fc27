"""What is said of archives and of discarded revisions."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ArchiveView:
    """What a revision archived before it dropped it; `days` since then, None where not known."""

    name: str
    rows: int
    at_least: bool
    bytes: int | None
    note: str | None
    days: int | None


@dataclass(frozen=True, kw_only=True)
class DiscardResult:
    """A plan to remove a revision file: nothing was removed yet."""

    plan_id: str
    revision: str
    path: str
    sha256: str
    warnings: tuple[str, ...]
    approval_request: str
    next_step: str
