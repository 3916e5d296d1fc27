"""What the use cases answer with: every value a client or the command line shows."""

from dataclasses import dataclass, field
from typing import Literal

from rulezero_policies import choices
from rulezero_policies.findings import Finding, Risk, Verdict
from rulezero_policies.plan import PlanKind, PlannedChange
from rulezero_policies.references import Confidence, References
from rulezero_policies.rehearsal import Leg, State
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.suppression import Suppressed
from rulezero_tools.backups import BackupView
from rulezero_tools.causes import CauseView
from rulezero_tools.records import Ending
from rulezero_tools.removals import ArchiveView
from rulezero_tools.views import BindView, BranchView, DatabaseView

Section = Literal[
    "summary", "sql", "findings", "changes", "files", "approval_request", "rehearsal", "run"
]


@dataclass(frozen=True, kw_only=True)
class FactView:
    """Something counted on the live database; count null means it could not be asked."""

    question: str
    count: int | None
    sample: tuple[str, ...] = ()
    at_least: bool = False


@dataclass(frozen=True, kw_only=True)
class ReferenceView:
    """A place in the project's own code that uses, or may use, what is dropped or renamed."""

    subject: str
    place: str
    confidence: Confidence
    how: str


def reference_views(references: References | None) -> tuple[ReferenceView, ...]:
    """The references as results show them, the surest first."""
    return tuple(
        ReferenceView(subject=r.subject, place=r.place, confidence=r.confidence, how=r.how)
        for r in (references.found if references else ())
    )


@dataclass(frozen=True, kw_only=True)
class RenameView:
    """A drop and an add that may be a rename: the person decides before anything is written.

    `score` is of 100. `otherwise` is what happens if it is none. `code` is what such a revision
    would say instead.
    """

    id: str
    score: int
    evidence: tuple[str, ...]
    against: tuple[str, ...]
    otherwise: str
    ambiguous: bool
    code: str


def rename_views(candidates: tuple[RenameCandidate, ...]) -> tuple[RenameView, ...]:
    """The candidates as results show them, the best first."""
    return tuple(
        RenameView(
            id=c.rename.id,
            score=c.score,
            evidence=c.evidence,
            against=c.against,
            otherwise=choices.outcome(c, renamed=False),
            ambiguous=c.ambiguous,
            code=c.rename.code,
        )
        for c in candidates
    )


@dataclass(frozen=True, kw_only=True)
class RevisionView:
    """A revision that waits to be applied."""

    revision: str
    path: str
    message: str


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """An open plan in one line; `database` is which one of several it is for."""

    plan_id: str
    kind: PlanKind
    description: str
    risk: Risk
    state: str
    database: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run that had no known end: whether it lives, or what became of it."""

    plan_id: str
    status: Literal["running", "applied", "failed"]
    ending: Ending | None
    statements: int
    message: str
    resume: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StatusResult:
    """Where the project stands and what to do next.

    Where it migrates several databases, `databases` are all of them, and `database`, `current` and
    `pending` are about the `chosen` one. `branches` are its heads where there are several.
    """

    project: str
    flavour: str
    environment: str
    environments: tuple[str, ...]
    protected: bool
    interpreter: str
    database: DatabaseView
    current: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[RevisionView, ...]
    approval: str
    open_plans: tuple[PlanView, ...]
    warnings: tuple[str, ...]
    next_step: str
    runs: tuple[RunView, ...] = ()
    chosen: str | None = None
    databases: tuple[BindView, ...] = ()
    branches: tuple[BranchView, ...] = ()
    archives: tuple[ArchiveView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AnalyzeResult:
    """What the models want changed, how risky it is, and what to do about it."""

    analysis_id: str
    project: str
    environment: str
    database: DatabaseView
    risk: Risk
    changes: tuple[PlannedChange, ...]
    breaking: tuple[Finding, ...]
    strategy: str
    foreign_key_order: tuple[str, ...]
    indexes_to_add: tuple[str, ...]
    checklist: tuple[str, ...]
    facts: tuple[FactView, ...]
    warnings: tuple[str, ...]
    next_step: str
    references: tuple[ReferenceView, ...] = ()
    references_total: int = 0
    rename_candidates: tuple[RenameView, ...] = ()
    not_compared: tuple[str, ...] = ()
    databases: tuple[BindView, ...] = ()
    """All that were compared, where the project migrates several and none was chosen."""


@dataclass(frozen=True, kw_only=True)
class GenerateResult:
    """The revision file that was written, or the plan a person must confirm first."""

    status: Literal["written", "needs_confirmation"]
    next_step: str
    revision: str | None = None
    path: str | None = None
    plan_id: str | None = None
    question: str | None = None
    warning: str | None = None
    renames: tuple[str, ...] = ()
    """What the person chose of each candidate."""
    also: tuple[str, ...] = ()
    """The files of the later phases of a sequence, in order."""
    archives: tuple[str, ...] = ()
    """What the revision keeps beside the tables before it drops it, or why it cannot."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the review's checklist."""

    item: str
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One statement of a rehearsal: which way, what, where it stands, what it did.

    `start` and `seconds` are in seconds, `transaction` numbers what is committed together.
    """

    leg: Leg
    sql: str
    start: float
    seconds: float
    place: str = ""
    transaction: int | None = None
    locks: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a shadow database showed; where `ran` is false, `reason` says why there was none.

    `lost` is which rows and values are gone afterwards, and by what; `remaining` is what models and
    database still differ in after the upgrade, null where it could not be told; `not_shown` is what
    a limit cut off; `lacks` what of the target the shadow did not have. `statements` counts what
    was sent; `timeline` is the part of it that matters most.
    """

    ran: bool
    reason: str | None = None
    mend: str | None = None
    where: str | None = None
    rows: str | None = None
    upgrade: State = "skipped"
    downgrade: State = "skipped"
    reupgrade: State = "skipped"
    schema_restored: bool | None = None
    data_restored: bool | None = None
    differences: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    remaining: tuple[str, ...] | None = None
    not_shown: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()
    timeline: tuple[Beat, ...] = ()
    statements: int = 0
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewResult:
    """The verdict on what waits to run, with its evidence, and the plan to confirm."""

    project: str
    database: DatabaseView
    revision: str
    path: str
    verdict: Verdict
    risk: Risk
    findings: tuple[Finding, ...]
    facts: tuple[FactView, ...]
    rehearsal: Rehearsal
    checklist: tuple[Check, ...]
    changes: tuple[PlannedChange, ...]
    warnings: tuple[str, ...]
    sql: str | None
    approval_request: str
    plan_id: str | None
    next_step: str
    references: tuple[ReferenceView, ...] = ()
    references_total: int = 0
    because: str = ""
    """The verdict with its reasons, in one sentence."""
    suppressed: tuple[Suppressed, ...] = ()
    """Findings that a comment in the revision set aside; they count for the risk all the same."""


@dataclass(frozen=True, kw_only=True)
class ConfirmResult:
    """What came of asking: approved with the apply-token, good once and for minutes; or pending.

    `expires` is when the token, or the question that is pending, ends.
    """

    status: Literal["approved", "pending"]
    plan_id: str
    expires: str
    next_step: str
    token: str | None = None
    approved_through: str | None = None
    proves: str | None = None
    renames: tuple[str, ...] = ()
    """What the person chose of each rename candidate of a `generate` plan."""


@dataclass(frozen=True, kw_only=True)
class ApplyResult:
    """How the run ended, read back from the database; or how far it is.

    `cause` is what stopped it. After a partial failure `committed` are the statements that stay,
    `resume` and `undo` the steps on and back. After an upgrade to the last revision `remaining` is
    what models and database still differ in; null where it was not asked or could not be told.
    `backup` is the one that was made before the run.
    """

    plan_id: str
    status: Literal["running", "applied", "failed", "unknown"]
    current_revision: str
    previous_revision: str
    rollback_command: str
    verified: bool
    statements: int
    seconds: float
    repeated: bool
    message: str
    next_step: str
    ending: Ending | None = None
    committed: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    backup: BackupView | None = None
    cause: CauseView | None = None
    remaining: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RollbackResult:
    """A downgrade plan: nothing was changed yet."""

    plan_id: str
    from_revision: str
    to_revision: str
    verdict: Verdict
    risk: Risk
    changes: tuple[PlannedChange, ...]
    findings: tuple[Finding, ...]
    facts: tuple[FactView, ...]
    warnings: tuple[str, ...]
    sql: str | None
    approval_request: str
    next_step: str
    rehearsal: Rehearsal = field(default_factory=lambda: Rehearsal(ran=False))


@dataclass(frozen=True, kw_only=True)
class PlanSection:
    """One section of a plan, paged."""

    plan_id: str
    section: Section
    page: int
    pages: int
    text: str
