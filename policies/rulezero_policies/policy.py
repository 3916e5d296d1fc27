"""The policy: what a plan needs before it may run, and how long things live."""

from dataclasses import dataclass
from datetime import timedelta

from rulezero_policies.findings import Finding
from rulezero_policies.grant import Level
from rulezero_policies.plan import digest

LEVELS: tuple[Level, ...] = ("client", "secret", "passkey")

DROP_PHRASE = "yes, drop it"
"""What a person types before data is dropped (the coordinator's words)."""

_DROPS = frozenset({"drop-column", "drop-table", "drop-cascade", "truncate"})

_LOCAL_HOSTS = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The numbers and levels that count. Times are in seconds."""

    plan_seconds: int = 3600
    question_seconds: int = 600
    grant_seconds: int = 600
    level: Level = "client"
    protected_level: Level = "secret"

    @property
    def digest(self) -> str:
        """Names this policy; part of every plan."""
        return digest(self)

    @property
    def plan_life(self) -> timedelta:
        """How long a plan may be confirmed and applied."""
        return timedelta(seconds=self.plan_seconds)

    @property
    def question_life(self) -> timedelta:
        """How long a person has to answer."""
        return timedelta(seconds=self.question_seconds)

    @property
    def grant_life(self) -> timedelta:
        """How long an apply-token may be used."""
        return timedelta(seconds=self.grant_seconds)

    def needed(self, *, protected: bool) -> Level:
        """The level a yes must have for an environment."""
        return self.protected_level if protected else self.level


def reaches(level: Level, needed: Level) -> bool:
    """Whether a yes of `level` is enough where `needed` is asked for."""
    return LEVELS.index(level) >= LEVELS.index(needed)


def is_protected(*, marked: bool, host: str | None) -> bool:
    """A database is protected when it is marked so, or when it is not on this machine."""
    # A PostgreSQL URL may name several hosts; one that is elsewhere is enough.
    return marked or not all(_is_local(one.strip()) for one in (host or "").split(","))


def _is_local(host: str) -> bool:
    return host in _LOCAL_HOSTS or host.startswith("/")


def phrases(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """What the person must type: the drop phrase where data is dropped, or may be."""
    drops = any(f.rule in _DROPS and f.severity == "CRITICAL" for f in findings)
    return (DROP_PHRASE,) if drops else ()
