"""From what was read to a frozen plan: for review, rollback and the stop before generation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rulezero_policies import risk as judge
from rulezero_policies import words
from rulezero_policies.audit import Event
from rulezero_policies.backup import RESTORE_PHRASE, Restoring
from rulezero_policies.errors import MigrationRunning, RulezeroError
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.picture import TablePicture, draw, touched
from rulezero_policies.plan import (
    DatabaseIdentity,
    Observed,
    Plan,
    PlanKind,
    PlannedChange,
    Strategy,
    hashes,
)
from rulezero_policies.policy import is_protected, phrases
from rulezero_policies.references import References
from rulezero_policies.rehearsal import Judged
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.steps import Place
from rulezero_policies.suppression import Suppressed
from rulezero_policies.text import scrub, visible
from rulezero_tools import backups, reaching
from rulezero_tools.parity import observing
from rulezero_tools.ports import Session
from rulezero_tools.records import Database, Description, Interception
from rulezero_tools.results import DatabaseView, FactView

E = TypeVar("E", bound=RulezeroError)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a plan says beyond who, when and where; `affected` None: not known which tables."""

    kind: PlanKind
    to_revision: str
    revisions: tuple[str, ...]
    description: str
    path: str
    changes: tuple[PlannedChange, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    sql: str | None
    rollback_command: str
    pictures: tuple[TablePicture, ...] = ()
    references: References | None = None
    renames: tuple[RenameCandidate, ...] = ()
    archives: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    rehearsal: Judged | None = None
    restoring: Restoring | None = None
    affected: tuple[Place, ...] | None = None
    continues: str | None = None
    skip: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    to_revisions: tuple[str, ...] | None = None
    branch: str | None = None
    deployed: tuple[str, ...] = ()
    strategy: Strategy = "direct"


def freeze(session: Session, seen: Description, draft: Draft, files: Mapping[str, bytes]) -> Plan:
    """`draft` as a plan with everything it depends on; not kept."""
    project, now = session.project, session.clock.now()
    plan = Plan(
        kind=draft.kind,
        project=project.name,
        environment=project.environment,
        protected=protected(session, seen.database.identity),
        database=seen.database.identity,
        from_revisions=tuple(sorted(seen.database.current)),
        to_revision=draft.to_revision,
        revisions=draft.revisions,
        files=hashes(files),
        sql=draft.sql,
        fingerprint=seen.database.fingerprint,
        description=draft.description,
        path=draft.path,
        changes=draft.changes,
        findings=draft.findings,
        facts=draft.facts,
        verdict=judge.verdict(draft.findings),
        # Whoever writes a revision writes its comments: they must not lower who has to approve it.
        risk=judge.risk((*draft.findings, *(s.finding for s in draft.suppressed))),
        warnings=draft.warnings,
        phrases=_phrases(draft),
        rollback_command=draft.rollback_command,
        policy=session.policy.digest,
        created=now,
        expires=now + session.policy.plan_life,
        pictures=draft.pictures,
        renames=draft.renames,
        archives=draft.archives,
        suppressed=draft.suppressed,
        rehearsal=draft.rehearsal,
        restoring=draft.restoring,
        bind=project.bind,
    )
    return _going_on(plan, draft)


def _going_on(plan: Plan, draft: Draft) -> Plan:
    """What a draft says of where it starts and ends."""
    return replace(
        plan,
        continues=draft.continues,
        skip=draft.skip,
        statements=draft.statements,
        to_revisions=draft.to_revisions,
        branch=draft.branch,
        strategy=draft.strategy,
    )


def pictures(session: Session, operations: Sequence[Operation]) -> tuple[TablePicture, ...]:
    """The touched tables before and after, as the live database has them now."""
    places = touched(operations)
    return draw(operations, session.project.columns(places) if places else ())


def make_plan(
    session: Session, seen: Description, draft: Draft, files: Mapping[str, bytes]
) -> Plan:
    """Freeze `draft`, keep it with its files, and record it."""
    plan = backups.foreseen(session, freeze(session, seen, draft, files), draft.affected)
    session.store.save_plan(plan, files)
    record(session, "proposed", plan, f"{plan.kind} to {plan.to_revision}, risk {plan.risk}")
    return plan


def observe(session: Session, plan: Plan) -> tuple[Observed, Mapping[str, bytes]]:
    """What stands there now, to hold against `plan`; with the bytes that were read.

    Raises:
        MigrationRunning: It is being migrated, so that nothing that is read would last.
    """
    if plan.kind == "files":
        return observing.observed(session, plan), {}
    project = session.on(plan.bind).project
    with project.reading():
        seen = project.describe()
        if seen.database.locked:
            raise MigrationRunning(database=seen.database.identity.label)
        files = project.files([f.path for f in plan.files])
        facts = project.probe([f.asked for f in plan.facts]) if plan.facts else ()
    observed = Observed(
        database=seen.database.identity,
        current=tuple(sorted(seen.database.current)),
        files=hashes(files),
        fingerprint=seen.database.fingerprint,
        facts=facts,
        policy=session.policy.digest,
        protected=protected(session, seen.database.identity),
    )
    return observed, files


def protected(session: Session, identity: DatabaseIdentity) -> bool:
    """Whether the policy treats this environment as protected."""
    project, policy = session.project, session.policy
    marked = project.protected or project.environment in policy.protected_environments
    return is_protected(marked=marked, host=identity.host)


def _phrases(draft: Draft) -> tuple[str, ...]:
    # Writing a draft file drops nothing yet: the phrase belongs to the run.
    if draft.kind == "generate":
        return ()
    if draft.kind == "restore":
        return (RESTORE_PHRASE,)
    return phrases(draft.findings, deployed=bool(draft.deployed))


def record(session: Session, event: Event, plan: Plan | None, detail: str) -> None:
    """Add an audit entry for `plan`, with nothing secret and nothing hidden in it."""
    session.store.append(
        at=session.clock.now(),
        event=event,
        project=session.project.name,
        principal=session.principal,
        plan_id=plan.plan_id if plan else None,
        detail=visible(scrub(detail)),
    )


def refused(session: Session, plan: Plan | None, error: E) -> E:
    """Record a refusal and hand the error back to be raised."""
    record(session, "refused", plan, f"{error.code}: {error}")
    return error


def database_view(seen: Description) -> DatabaseView:
    """The database as results show it."""
    return identity_view(seen.database)


def identity_view(database: Database) -> DatabaseView:
    """A database as results show it."""
    identity = database.identity
    return DatabaseView(
        dialect=identity.dialect,
        version=database.version,
        name=identity.name,
        identity=identity.label,
    )


def fact_views(facts: tuple[Fact, ...]) -> tuple[FactView, ...]:
    """Facts as results show them."""
    return tuple(
        FactView(question=f.question, count=f.count, sample=f.sample, at_least=f.at_least)
        for f in facts
    )


def holes(interceptions: tuple[Interception, ...]) -> tuple[str, ...]:
    """What the project tried while it was only being loaded, a line each."""
    return tuple(map(reaching.told, interceptions))


def next_step(plan_id: str, findings: tuple[Finding, ...]) -> str:
    """What comes after a review: the question to the person, and the call that asks it."""
    call = f"call `confirm` with plan_id {plan_id}: a person is asked. You cannot approve it."
    if not findings:
        return f"Show the approval request to the person, then {call}"
    return (
        f"{words.needs_changes_question(findings)} Put that to the person. To have them "
        "fixed, call `fix` with the revision: it rewrites the file where there is a recipe, and "
        f"reviews it again. To go on as it is, {call}"
    )
