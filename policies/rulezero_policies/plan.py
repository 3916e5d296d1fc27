"""A plan: exactly what would be done, to exactly which database, frozen and named by its digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from rulezero_policies.backup import PlannedBackup, Restoring
from rulezero_policies.findings import GROWS, SETTINGS, VOLATILE, Fact, Finding, Risk, Verdict
from rulezero_policies.parity.changes import SettingsPlan
from rulezero_policies.picture import TablePicture
from rulezero_policies.rehearsal import Judged
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.suppression import Suppressed

Strategy = Literal["direct", "safer"]
"""One revision that makes the changes, or a sequence of them with deployments between."""

PlanKind = Literal[
    "upgrade", "downgrade", "generate", "restore", "undo", "purge", "discard", "files"
]


FILES = "files"
"""The dialect of what a files plan changes: there is no database in it."""


@dataclass(frozen=True, kw_only=True)
class DatabaseIdentity:
    """Which database this is, by what the server itself says; never a user name or a password.

    `server_id` is PostgreSQL's system identifier with the database's oid, MariaDB's or MySQL's
    server uid, or the device and inode of an SQLite file; None where the server does not tell, or
    the file does not exist yet.
    """

    dialect: str
    host: str | None
    port: int | None
    name: str
    server_id: str | None

    @property
    def label(self) -> str:
        """The identity in one line, to show to a person and to compare."""
        if self.dialect == FILES:
            return f"no database: settings files below {self.name}"
        where = f"{self.host or 'local'}{f':{self.port}' if self.port else ''}/"
        place = self.name if self.dialect == "sqlite" else where + self.name
        missing = "no file yet" if self.dialect == "sqlite" else "no server id"
        return f"{self.dialect}:{place} ({self.server_id or missing})"


@dataclass(frozen=True, kw_only=True)
class FileHash:
    """A file of the plan: its path under the project, and the SHA-256 of its bytes.

    Of a files plan it is an HMAC-SHA-256, under a key that stays on this machine: a settings file
    holds secrets, and the hash of a short one could be guessed at.
    """

    path: str
    sha256: str


def hashes(files: Mapping[str, bytes]) -> tuple[FileHash, ...]:
    """Each file's hash, in a stable order."""
    return tuple(
        FileHash(path=path, sha256=hashlib.sha256(files[path]).hexdigest())
        for path in sorted(files)
    )


@dataclass(frozen=True, kw_only=True)
class PlannedChange:
    """One line of what a person is shown: the subject and what happens to it."""

    subject: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything a person approves, and everything that is compared again before it runs.

    `files` are all files that may run (revisions, env.py and what lies beside them); `revisions`
    are those that this plan runs, in order. `warnings` are shown as they stand; `phrases` are what
    the person must type. A `generate` plan has no revisions yet: it lets a CRITICAL revision be
    written, and nothing else; `renames` are the drops and adds of which the person says with their
    yes whether they are renames. `rehearsal` is None where none was asked for, `backup` where the
    policy asks for none; `restoring` is what a `restore` plan puts back.

    A plan that goes on where a run stopped `continues` the plan of that run: `skip` are the
    statements of the first revision that are committed already, as they were sent (without
    parameters, each cut at 4000 characters), and that are not sent again. `statements` is SQL that
    is sent before the revisions, or alone: newest first by an `undo` plan, and by a `purge` plan.
    A `discard` plan removes the file of `path`, revision `to_revision`. `archives` are what the
    revision archives before it drops it, with what that costs.

    Where the project migrates several databases, `bind` is its name for this one. `to_revisions`
    are the heads where the database is in the end, None where `to_revision` alone says it; `branch`
    is what a `generate` plan goes on with. A `files` plan changes no database: its `settings` say
    what is written.
    """

    kind: PlanKind
    project: str
    environment: str
    protected: bool
    database: DatabaseIdentity
    from_revisions: tuple[str, ...]
    to_revision: str
    revisions: tuple[str, ...]
    files: tuple[FileHash, ...]
    sql: str | None
    fingerprint: str | None
    description: str
    path: str
    changes: tuple[PlannedChange, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    verdict: Verdict
    risk: Risk
    warnings: tuple[str, ...]
    phrases: tuple[str, ...]
    rollback_command: str
    policy: str
    created: datetime
    expires: datetime
    pictures: tuple[TablePicture, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    renames: tuple[RenameCandidate, ...] = ()
    archives: tuple[str, ...] = ()
    rehearsal: Judged | None = None
    backup: PlannedBackup | None = None
    restoring: Restoring | None = None
    continues: str | None = None
    skip: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    bind: str | None = None
    to_revisions: tuple[str, ...] | None = None
    branch: str | None = None
    strategy: Strategy = "direct"
    settings: SettingsPlan | None = None

    @property
    def place(self) -> str:
        """The database in one line, with the project's name for it where it has several."""
        named = "" if self.bind is None else f"{self.bind} of several: "
        return f"{named}{self.database.label}"

    @property
    def ends_at(self) -> tuple[str, ...]:
        """The revisions that the database is at when all of it went through; none is base."""
        if self.to_revisions is not None:
            return self.to_revisions
        return () if self.to_revision == "base" else (self.to_revision,)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's canonical JSON, in hex."""
        return digest(self)

    @property
    def plan_id(self) -> str:
        """The name a client uses; the digest's beginning, so that it cannot mean another plan."""
        return plan_id_of(self.digest)


def plan_id_of(digest: str) -> str:
    """The name of the plan with this digest."""
    return f"plan-{digest[:20]}"


def canonical(value: object) -> str:
    """One text for one value: sorted keys, no spaces, ASCII, ISO dates."""
    plain = asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), default=datetime.isoformat)


def digest(value: object) -> str:
    """SHA-256 of `canonical(value)`, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What stands there at the moment of applying."""

    database: DatabaseIdentity
    current: tuple[str, ...]
    files: tuple[FileHash, ...]
    fingerprint: str | None
    facts: tuple[Fact, ...]
    policy: str
    protected: bool = False


def differences(plan: Plan, seen: Observed) -> tuple[str, ...]:
    """What no longer is as it was approved, in words; empty when everything fits."""
    return (
        *_changed("the database", plan.database.label, seen.database.label),
        *_changed("the current revision", _at(plan.from_revisions), _at(seen.current)),
        *_files(plan.files, seen.files),
        *([] if plan.fingerprint == seen.fingerprint else ["the database's schema changed"]),
        *_facts(plan.facts, seen.facts),
        *([] if plan.policy == seen.policy else ["the policy changed"]),
        *(["it is protected now"] if seen.protected and not plan.protected else []),
    )


def _at(revisions: tuple[str, ...]) -> str:
    return ", ".join(sorted(revisions)) or "base"


def _changed(what: str, before: str, now: str) -> list[str]:
    return [] if before == now else [f"{what} was {before} and is {now}"]


def _files(before: Iterable[FileHash], now: Iterable[FileHash]) -> list[str]:
    old = {f.path: f.sha256 for f in before}
    new = {f.path: f.sha256 for f in now}
    return [
        *(f"{p} changed" for p in sorted(old.keys() & new.keys()) if old[p] != new[p]),
        *(f"{p} is gone" for p in sorted(old.keys() - new.keys())),
        *(f"{p} is new" for p in sorted(new.keys() - old.keys())),
    ]


def _facts(before: Iterable[Fact], now: Iterable[Fact]) -> list[str]:
    """What the verdict rests on must not be worse than it was, and must still be known.

    Settings have to be as they were; what moves by itself is no difference.
    """
    found = {f.asked: f for f in now}
    lasting = (f for f in before if f.count is not None and f.asked.probe not in VOLATILE)
    return [
        f"{f.question}: was {f.amount}, is {_amount(found.get(f.asked))}"
        for f in lasting
        if _worse(f, found.get(f.asked))
    ]


def _amount(fact: Fact | None) -> str:
    return "unknown" if fact is None or fact.count is None else fact.amount


def _worse(before: Fact, now: Fact | None) -> bool:
    if now is None or now.count is None:
        return True
    if before.asked.probe in SETTINGS:
        return (before.count, before.names) != (now.count, now.names)
    if before.asked.probe in GROWS:
        return before.count == 0 and now.count > 0
    return now.count > (before.count or 0) or bool(_kinds(now) - _kinds(before))


def _kinds(fact: Fact) -> set[str]:
    """The names, without how many rows stand behind each."""
    return {re.sub(r"\b(?:more than )?[1-9]\d* rows", "rows", name) for name in fact.names}
