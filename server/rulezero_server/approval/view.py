"""A question as its page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rulezero_policies import backup, choices, words
from rulezero_policies.checklist import CheckItem, checklist, pre_migration_checklist
from rulezero_policies.errors import LockedOut
from rulezero_policies.findings import Finding
from rulezero_policies.grant import Challenge
from rulezero_policies.plan import FileHash, Plan
from rulezero_policies.policy import CONFIRMATIONS, Confirmation, confirmations, to_type
from rulezero_policies.renames import RenameCandidate
from rulezero_server.approval.picture import Drawing, drawing
from rulezero_server.approval.rehearsed import RehearsalView, rehearsal_view
from rulezero_tools import enrolment
from rulezero_tools.answering import Waiting
from rulezero_tools.asking import PROVES
from rulezero_tools.ports import Desk
from rulezero_tools.records import Passkey

State = Literal["open", "approved", "declined", "expired"]

_NOT_RENDERED = "-- not rendered"
"""How the SQL of a plan starts that cannot be written out without running (batch mode, say)."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How this person can say yes to this question; `locked` says why not by PIN just now."""

    pin: bool
    passkeys: tuple[Passkey, ...]
    locked: str | None
    missing: str | None

    @property
    def any(self) -> bool:
        """Whether there is one that works now."""
        return bool(self.passkeys) or (self.pin and self.locked is None)

    @property
    def proves(self) -> tuple[str, ...]:
        """What a yes in each of these ways is worth, in the words that the client is told."""
        pin = (PROVES["secret"],) if self.pin else ()
        return (*pin, PROVES["passkey"]) if self.passkeys else pin


@dataclass(frozen=True, kw_only=True)
class RenameView:
    """A rename that the person decides about: what either answer leads to, and what speaks."""

    key: str
    question: str
    yes: str
    no: str
    reasons: tuple[str, ...]


def _rename(key: str, candidate: RenameCandidate) -> RenameView:
    return RenameView(
        key=key,
        question=choices.question(candidate),
        yes=choices.outcome(candidate, renamed=True),
        no=choices.outcome(candidate, renamed=False),
        reasons=choices.reasons(candidate),
    )


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything that the template needs beside the plan itself."""

    heading: str
    warnings: tuple[str, ...]
    words: str | None
    counted: bool
    attested: bool
    backup: str | None
    ticks: tuple[tuple[Confirmation, str], ...]
    renames: tuple[RenameView, ...]
    destroyed: tuple[Finding, ...]
    unless: frozenset[str]
    checks: tuple[CheckItem, ...]
    actions: tuple[str, ...]
    rendered: bool
    run: tuple[FileHash, ...]
    sources: Mapping[str, str]
    beside: tuple[FileHash, ...]
    drawings: tuple[Drawing, ...]
    rehearsal: RehearsalView | None
    start: str
    left: str


def state(challenge: Challenge, now: datetime) -> State:
    """Where a question stands."""
    match challenge.answer:
        case "approved" | "declined":
            return challenge.answer
        case None if challenge.created <= now < challenge.expires:
            return "open"
        case _:
            return "expired"


def ways(desk: Desk, challenge: Challenge) -> Ways:
    """What can be offered; a PIN is not asked for where it would not be enough."""
    keys = desk.store.passkeys(desk.person)
    pin = desk.store.pin(desk.person) is not None and challenge.needs != "passkey"
    missing = "rulezero enroll --passkey" if challenge.needs == "passkey" else "rulezero enroll"
    return Ways(
        pin=pin,
        passkeys=keys,
        locked=_locked(desk) if pin else None,
        missing=None if keys or pin else missing,
    )


def _locked(desk: Desk) -> str | None:
    try:
        enrolment.locked_out(desk)
    except LockedOut as error:
        return str(error)
    return None


def view(desk: Desk, asked: Waiting) -> View:
    """What is shown of a question that stands open."""
    plan, now = asked.plan, desk.clock.now()
    typed = to_type(plan)
    run, beside = _files(plan)
    return View(
        heading=words.HEADINGS[plan.kind],
        warnings=words.own_warnings(plan),
        words=typed,
        counted=typed is not None and " " in typed.removesuffix(f": {backup.ATTESTED}"),
        attested=backup.attests(plan.backup),
        backup=backup.line(plan.backup) if plan.backup else None,
        ticks=tuple((c, CONFIRMATIONS[c][0]) for c in confirmations(plan)),
        renames=tuple(
            _rename(key, candidate) for key, candidate in choices.keyed(plan.renames).items()
        ),
        unless=frozenset(c.rename.subject for c in plan.renames),
        destroyed=tuple(f for f in plan.findings if f.outcome == "loses_data"),
        checks=checklist(plan.findings) if plan.kind == "upgrade" else (),
        actions=() if plan.kind == "files" else pre_migration_checklist(plan.findings),
        rendered=plan.sql is not None and not plan.sql.startswith(_NOT_RENDERED),
        run=run,
        sources=_sources(desk, run),
        beside=beside,
        drawings=tuple(drawing(p) for p in plan.pictures),
        rehearsal=rehearsal_view(plan.rehearsal) if plan.rehearsal else None,
        start=", ".join(plan.from_revisions) or "base",
        left=_span((asked.challenge.expires - now).total_seconds()),
    )


def _files(plan: Plan) -> tuple[tuple[FileHash, ...], tuple[FileHash, ...]]:
    """The revisions that run, and everything else that runs along with them."""
    run = tuple(f for f in plan.files if f.path == plan.path or _names(f.path, plan.revisions))
    return run, tuple(f for f in plan.files if f not in run)


def _sources(desk: Desk, files: tuple[FileHash, ...]) -> Mapping[str, str]:
    """The sealed bytes as text: those that run, whatever the working tree holds by now."""
    try:
        sealed = desk.store.sealed(files)
    except KeyError:
        return {}
    return {
        path: data.decode("utf-8", "replace").replace("\r\n", "\n") for path, data in sealed.items()
    }


def _names(path: str, revisions: tuple[str, ...]) -> bool:
    return any(path.rpartition("/")[2].startswith(revision) for revision in revisions)


def _span(seconds: float) -> str:
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
