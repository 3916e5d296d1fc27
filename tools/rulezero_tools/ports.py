"""What the use cases need from the world; edges implement it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from rulezero_policies.audit import Entry, Event
from rulezero_policies.findings import Fact, Question
from rulezero_policies.grant import Answer, Challenge, Channel, Grant, Level
from rulezero_policies.picture import LiveTable
from rulezero_policies.plan import FileHash, Plan
from rulezero_policies.policy import Policy
from rulezero_policies.references import ModelClass, Sources
from rulezero_policies.renames import Rename
from rulezero_policies.steps import Place
from rulezero_tools.archiveport import Archived
from rulezero_tools.backupport import Backups
from rulezero_tools.draftport import Drafts
from rulezero_tools.machine import Chance, Clock
from rulezero_tools.parity.filesport import SettingsFiles
from rulezero_tools.parity.liveport import Live
from rulezero_tools.phaseport import Phased
from rulezero_tools.records import (
    Analysis,
    Bind,
    Description,
    Diff,
    Passkey,
    Pin,
    Rendered,
    Route,
    Run,
    Trace,
    Unseen,
)
from rulezero_tools.rehearserport import Rehearser, silent
from rulezero_tools.runport import NoRuns, Runs

__all__ = ["Rehearser", "silent"]

P = ParamSpec("P")
R = TypeVar("R")


class Project(Drafts, Phased, Archived, Live, Protocol):
    """One project in one environment, for reading; every method raises `ProjectError`."""

    @property
    def name(self) -> str:
        """The project's root folder, resolved."""
        ...

    @property
    def environment(self) -> str:
        """The environment's name."""
        ...

    @property
    def protected(self) -> bool:
        """Whether the environment is marked as protected in the configuration."""
        ...

    @property
    def bind(self) -> str | None:
        """The name of the database that is meant, where the project migrates several."""
        ...

    def on(self, bind: str | None) -> "Project":
        """This project with that database meant; nothing is loaded again for it."""
        ...

    def databases(self) -> tuple[Bind, ...]:
        """Every database that the project migrates, with where it stands."""
        ...

    def route(
        self, *, direction: Literal["upgrade", "downgrade"], start: Sequence[str], to: str
    ) -> Route:
        """The way through the revisions from `start` to `to`, as Alembic goes it."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """While it lasts the project is loaded once, and what was loaded stays as it was."""
        ...

    def describe(self, *, static: bool = False, lenient: bool = False) -> Description:
        """Project, revisions and database, freshly read.

        With `static` no database is asked: only its dialect is told. With `lenient` files that do
        not load or fit together, and a database at an unknown revision, are told as flaws.
        """
        ...

    def diff(self, renames: Sequence[Rename] = ()) -> Diff:
        """What autogenerate would write, with these drops and adds made renames."""
        ...

    def trace(
        self,
        revisions: Sequence[str],
        *,
        static: bool = False,
        lenient: bool = False,
        drafts: Mapping[str, str] | None = None,
    ) -> tuple[Trace, ...]:
        """Record what these revisions do, without doing it, in the order given.

        `static`: connect to no database. `lenient`: a file that does not load is one opaque step.
        `drafts`: texts to read in place of the files, by revision; they are written nowhere.
        """
        ...

    def render(
        self, *, direction: Literal["upgrade", "downgrade"], start: str, to: str
    ) -> Rendered:
        """The SQL from revision `start` (or "base") to `to`."""
        ...

    def probe(self, questions: Sequence[Question]) -> tuple[Fact, ...]:
        """Count on the target, read-only and bounded; one fact a question, in order."""
        ...

    def columns(self, tables: Sequence[Place]) -> tuple[LiveTable, ...]:
        """The columns of these tables as they stand; what cannot be read is left out."""
        ...

    def models(self) -> tuple[ModelClass, ...]:
        """The classes that the project maps to tables."""
        ...

    def unseen(self) -> Unseen:
        """What autogenerate does not compare, and what of it differs."""
        ...

    def sources(self) -> Sources:
        """The project's own source, templates and SQL files, migrations left out."""
        ...

    def files(self, also: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Every file that may run, by path under the project.

        These are the files under the script and version locations, the project's own code that was
        loaded so far, and those of `also` that exist.
        """
        ...


class PinHasher(Protocol):
    """A slow, salted hash for PINs."""

    def hash(self, pin: str) -> str:
        """The hash with its parameters and salt."""
        ...

    def matches(self, hashed: str, pin: str) -> bool:
        """Whether `pin` is the one that was hashed."""
        ...


class Store(Protocol):
    """What is remembered, durably, before anything happens."""

    def save_analysis(self, analysis: Analysis) -> None:
        """Keep or replace an analysis."""
        ...

    def analysis(self, analysis_id: str) -> Analysis | None:
        """An analysis by its id."""
        ...

    def save_plan(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        """Keep a plan and the bytes of its files (each kept once, by hash). Saving twice is one."""
        ...

    def plan(self, plan_id: str) -> Plan | None:
        """A plan by its id."""
        ...

    def plans(self, project: str) -> tuple[Plan, ...]:
        """The project's plans, newest first."""
        ...

    def sealed(self, files: Sequence[FileHash]) -> Mapping[str, bytes]:
        """The bytes kept for these files, by path.

        Raises:
            KeyError: Bytes with that hash were never kept.
        """
        ...

    def open_challenge(self, challenge: Challenge) -> Challenge:
        """Keep `challenge`, or return the unanswered, unexpired one of this plan and principal."""
        ...

    def challenge(self, nonce: str) -> Challenge | None:
        """A question by its nonce."""
        ...

    def last_challenge(self, plan_digest: str, principal: str) -> Challenge | None:
        """The newest question about a plan that this principal had asked."""
        ...

    def waiting(self, person: str, now: datetime) -> tuple[Challenge, ...]:
        """The unanswered, unexpired questions of the channel "approval page", oldest first."""
        ...

    def show_challenge(self, nonce: str, at: datetime) -> None:
        """Record that a person's page or terminal showed it; the first time counts."""
        ...

    def answer_challenge(
        self,
        nonce: str,
        answer: Answer,
        *,
        level: Level | None = None,
        approver: str | None = None,
        through: Channel | None = None,
        chosen: Sequence[str] = (),
    ) -> bool:
        """Record the answer, once: False when it was answered already or is not known."""
        ...

    def claim_challenge(self, nonce: str) -> bool:
        """Take the answer of an answered question, once, atomically: False for everybody later."""
        ...

    def pin(self, person: str) -> Pin | None:
        """A person's PIN, hashed, with what was tried since it was last right."""
        ...

    def save_pin(self, pin: Pin) -> None:
        """Keep or replace a person's PIN."""
        ...

    def try_pin(self, person: str, failures: int, at: datetime) -> bool:
        """Count one more failure, before the PIN is looked at, if there were `failures` until now.

        False when somebody else tried at the same time: one atomic statement, so that guesses that
        race are all counted.
        """
        ...

    def pin_was_right(self, person: str) -> None:
        """Forget the failures."""
        ...

    def passkeys(self, person: str) -> tuple[Passkey, ...]:
        """A person's passkeys, oldest first."""
        ...

    def save_passkey(self, passkey: Passkey) -> None:
        """Keep or replace a passkey (by its id)."""
        ...

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant (its hash, never the token)."""
        ...

    def grant(self, token_hash: str) -> Grant | None:
        """A grant by its token's hash."""
        ...

    def spend(self, token_hash: str, at: datetime) -> bool:
        """Spend the grant in one atomic, durable statement: False when it was spent before."""
        ...

    def start_run(self, run: Run) -> None:
        """Record that a run begins, before it does."""
        ...

    def finish_run(self, run: Run) -> bool:
        """Record how it ended: False where a settled end is recorded already, which stays."""
        ...

    def unsettled(self) -> tuple[Run, ...]:
        """The runs whose end is not recorded, or recorded as unknown; the oldest first."""
        ...

    def run(self, plan_id: str) -> Run | None:
        """The run of a plan, if it ever ran."""
        ...

    def append(
        self,
        *,
        at: datetime,
        event: Event,
        project: str,
        principal: str,
        plan_id: str | None,
        detail: str,
    ) -> Entry:
        """Add an audit entry, chained to the last one."""
        ...

    def entries(
        self, *, project: str | None = None, plan_id: str | None = None, limit: int | None = None
    ) -> tuple[Entry, ...]:
        """The audit trail in order, or the newest `limit` of it (still oldest first).

        With `plan_id`, at least the entries about that plan; others may be among them.
        """
        ...

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry, kept apart from the trail; (0, GENESIS) for none."""
        ...


def loads_once(
    use_case: Callable[Concatenate["Session", P], R],
) -> Callable[Concatenate["Session", P], R]:
    """A use case that reads the project and writes to no database: it is loaded once for it."""

    @wraps(use_case)
    def call(session: "Session", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with session.project.reading():
            return use_case(session, *args, **kwargs)

    return call


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where a person answers: what is asked of them, under which policy, and who they are.

    `person` is the operating system's user on this machine.
    """

    store: Store
    clock: Clock
    policy: Policy
    person: str


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything a use case works with: one project, one store, who is calling.

    `principal` is the person with the client that calls for them. Without a `rehearser` a review
    reads and asks, and runs nothing.
    """

    project: Project
    store: Store
    clock: Clock
    chance: Chance
    policy: Policy
    person: str
    principal: str
    rehearser: Rehearser | None = None
    runs: Runs = field(default_factory=NoRuns)
    backups: Backups | None = None
    settings_files: SettingsFiles | None = None

    def on(self, bind: str | None) -> "Session":
        """This session with that database of the project meant."""
        if bind == self.project.bind:
            return self
        project, runs = self.project.on(bind), self.runs.on(bind)
        rehearser = self.rehearser and self.rehearser.on(bind)
        backups = self.backups and self.backups.on(bind)
        return replace(self, project=project, runs=runs, rehearser=rehearser, backups=backups)

    @property
    def desk(self) -> Desk:
        """Where this caller's person answers."""
        return Desk(store=self.store, clock=self.clock, policy=self.policy, person=self.person)
