"""The policy: what a plan needs before it may run, and how long things live."""

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Literal

from rulezero_policies.backup import ATTESTED, BackupWhen, attests, stricter
from rulezero_policies.findings import Finding, Risk
from rulezero_policies.grant import Level
from rulezero_policies.plan import Plan, digest

LEVELS: tuple[Level, ...] = ("client", "secret", "passkey")

DROP_PHRASE = "yes, drop it"
DEPLOYED_PHRASE = "yes, it is deployed"
"""What a person types before data is dropped (the coordinator's words)."""

_DROPS = frozenset({"drop-column", "drop-table", "drop-cascade", "truncate"})

_NAME = re.compile(r"[\w.]+")

_LOCAL_HOSTS = frozenset({"", "localhost", "127.0.0.1", "::1"})


def reaches(level: Level, needed: Level) -> bool:
    """Whether a yes of `level` is enough where `needed` is asked for."""
    return LEVELS.index(level) >= LEVELS.index(needed)


def higher(one: Level, other: Level) -> Level:
    """The level that asks for more."""
    return one if reaches(one, other) else other


@dataclass(frozen=True, kw_only=True)
class Need:
    """A level that is always needed, and one that is needed once the person enrolled it."""

    least: Level
    enrolled: Level

    def given(self, enrolled: Level | None) -> Level:
        """What is needed of a person who enrolled `enrolled` (None: nothing yet)."""
        if enrolled is None:
            return self.least
        wished = enrolled if reaches(self.enrolled, enrolled) else self.enrolled
        return higher(self.least, wished)

    def tightened(self, other: "Need") -> "Need":
        """Whatever of both asks for more."""
        return Need(
            least=higher(self.least, other.least), enrolled=higher(self.enrolled, other.enrolled)
        )

    @property
    def words(self) -> str:
        """As it is written in a policy file."""
        return self.least if self.least == self.enrolled else f"{self.enrolled} if enrolled"


def need(least: Level, enrolled: Level | None = None) -> Need:
    """A need; without `enrolled`, the same for everybody."""
    return Need(least=least, enrolled=higher(least, enrolled or least))


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What is needed, by risk."""

    safe: Need
    warning: Need
    critical: Need

    def at(self, risk: Risk) -> Need:
        """The need at this risk."""
        return {"SAFE": self.safe, "WARNING": self.warning, "CRITICAL": self.critical}[risk]

    def tightened(self, other: "Needs") -> "Needs":
        """Whatever of both asks for more, risk by risk."""
        return Needs(
            safe=self.safe.tightened(other.safe),
            warning=self.warning.tightened(other.warning),
            critical=self.critical.tightened(other.critical),
        )


LOCAL = Needs(
    safe=need("client"), warning=need("client", "secret"), critical=need("client", "secret")
)
PROTECTED = Needs(safe=need("secret"), warning=need("secret"), critical=need("secret", "passkey"))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The numbers and levels that count. Times are in seconds.

    `protected_environments` are those protected by name, wherever their database is. A PIN that
    was wrong `pin_attempts` times in a row locks for `lock_seconds`, after one more wrong one for
    twice that, and so on. `backup` is before which runs one is made.
    """

    plan_seconds: int = 3600
    question_seconds: int = 600
    grant_seconds: int = 600
    pin_attempts: int = 5
    lock_seconds: int = 900
    local: Needs = LOCAL
    protected: Needs = PROTECTED
    protected_environments: tuple[str, ...] = ()
    backup: BackupWhen = "critical"

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

    def needed(self, plan: Plan, enrolled: Level | None) -> Level:
        """The level a yes to `plan` must have, of a person who enrolled `enrolled`."""
        needs = self.protected if plan.protected else self.local
        # Writing a draft changes no database: its run is asked about by itself.
        return needs.at("SAFE" if plan.kind == "generate" else plan.risk).given(enrolled)

    def tightened(self, other: "Policy") -> "Policy":
        """The policy that asks for whatever of both is more: shorter times, higher levels."""
        return Policy(
            plan_seconds=min(self.plan_seconds, other.plan_seconds),
            question_seconds=min(self.question_seconds, other.question_seconds),
            grant_seconds=min(self.grant_seconds, other.grant_seconds),
            pin_attempts=min(self.pin_attempts, other.pin_attempts),
            lock_seconds=max(self.lock_seconds, other.lock_seconds),
            local=self.local.tightened(other.local),
            protected=self.protected.tightened(other.protected),
            protected_environments=tuple(
                sorted({*self.protected_environments, *other.protected_environments})
            ),
            backup=stricter(self.backup, other.backup),
        )

    def loosened_by(self, other: "Policy") -> tuple[str, ...]:
        """The fields in which `other` asks for less than this one."""
        strict = self.tightened(other)
        return tuple(
            f.name for f in fields(self) if getattr(strict, f.name) != getattr(other, f.name)
        )


def is_protected(*, marked: bool, host: str | None) -> bool:
    """A database is protected when it is marked so, or when it is not on this machine."""
    # A PostgreSQL URL may name several hosts; one that is elsewhere is enough.
    return marked or not all(_is_local(one.strip()) for one in (host or "").split(","))


def _is_local(host: str) -> bool:
    return host in _LOCAL_HOSTS or host.startswith("/")


def phrases(findings: tuple[Finding, ...], *, deployed: bool = False) -> tuple[str, ...]:
    """What the person must type: the drop phrase where data is dropped, or may be.

    `deployed` is whether the plan rests on code being deployed: only a person can say that it is.
    """
    drops = any(f.rule in _DROPS and f.severity == "CRITICAL" for f in findings)
    words = DROP_PHRASE.removeprefix("yes, ")
    if deployed:
        return (f"{DEPLOYED_PHRASE}, {words}" if drops else DEPLOYED_PHRASE,)
    return (DROP_PHRASE,) if drops else ()


def with_attestation(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The same words, each with the person's word that there is a backup."""
    return tuple(map(attested, wanted)) or (ATTESTED,)


def attested(words: str | None) -> str:
    """`words` and, in one breath, that there is a backup."""
    return f"{words}: {ATTESTED}" if words else ATTESTED


Confirmation = Literal["backed_up", "no_code_references", "meant_as_drops"]

CONFIRMATIONS: dict[Confirmation, tuple[str, str]] = {
    "backed_up": ("Have you backed up the database?", "there is no backup yet"),
    "no_code_references": (
        "Are you sure no code references what is dropped?",
        "code may still use what is dropped",
    ),
    "meant_as_drops": (
        "What else looks like a rename is to be none: shall the old one and its data be dropped?",
        "what looks like a rename may be one: have `generate` called with its id in `renames`",
    ),
}
"""What is ticked before a CRITICAL revision is written: the question, and what a no means."""


def confirmations(plan: Plan) -> tuple[Confirmation, ...]:
    """What the person must tick beside the yes."""
    if plan.kind != "generate":
        return ()
    drops = any(f.outcome == "loses_data" for f in plan.findings)
    decided = {c.rename.subject for c in plan.renames}
    lookalikes = any(
        f.rule == "rename-as-drop-add" and f.subject not in decided for f in plan.findings
    )
    asked: dict[Confirmation, bool] = {
        "backed_up": True,
        "no_code_references": drops or bool(plan.renames),
        "meant_as_drops": lookalikes,
    }
    return tuple(confirmation for confirmation, wanted in asked.items() if wanted)


def to_type(plan: Plan) -> str | None:
    """What is typed on the page or in the terminal for a CRITICAL plan: a table and its count.

    It is the largest number that was counted for something CRITICAL, so that whoever types it has
    read it. Where nothing was counted, it is the name of what is hit, or the revision. Where a
    backup is asked for and none can be made, the person's word that there is one belongs to it.
    """
    words = _read_words(plan)
    return attested(words) if attests(plan.backup) else words


def _read_words(plan: Plan) -> str | None:
    deployed = any(p.startswith(DEPLOYED_PHRASE) for p in plan.phrases)
    words = (DEPLOYED_PHRASE if deployed else None, _counted(plan))
    return ", ".join(filter(None, words)) or None


def _counted(plan: Plan) -> str | None:
    hit = [f.subject for f in plan.findings if f.severity == "CRITICAL"]
    if plan.kind == "generate" or not hit:
        return None
    counted = [
        (fact.count or 0, fact.asked.table)
        for fact in plan.facts
        if fact.count is not None and any(_is_of(s, fact.asked.table) for s in hit)
    ]
    if not counted:
        return hit[0] if _NAME.fullmatch(hit[0]) else plan.to_revision
    count, table = max(counted)
    return f"{table} {count}"


def _is_of(subject: str, table: str) -> bool:
    return table in subject.replace(" ", ".").split(".")
