"""Write the revision; a CRITICAL one only after a person said to go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rulezero_policies import archives, checklist, choices, words
from rulezero_policies.errors import (
    AnalysisStale,
    ChooseDatabase,
    NoChanges,
    OutOfOrder,
    UnknownAnalysis,
    UnknownRename,
)
from rulezero_policies.operations import Operation
from rulezero_policies.plan import Plan, Strategy
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.text import visible
from rulezero_tools import gate, graph, phases, using
from rulezero_tools.analyze import judged
from rulezero_tools.asking import question_text
from rulezero_tools.databases import wanted
from rulezero_tools.planning import Draft, make_plan, pictures, record, refused
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Analysis, Description
from rulezero_tools.results import GenerateResult


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the revision is to be written."""

    strategy: Strategy = "direct"
    archive: bool = False


@loads_once
def generate(
    session: Session,
    *,
    analysis_id: str,
    message: str,
    token: str | None = None,
    renames: Sequence[str] = (),
    branch: str | None = None,
    strategy: Strategy = "direct",
    archive: bool = False,
) -> GenerateResult:
    """Do what `flask db migrate -m` / `alembic revision --autogenerate -m` does.

    Whether a drop and an add are a rename is for the person to say, whatever `renames` holds: where
    there are candidates nothing is written before they did, be the table empty here or not. The
    same revision runs elsewhere.

    Args:
        session: The project, the store and the caller.
        analysis_id: From `analyze`; the models must still want exactly that.
        message: The revision's message.
        token: What `confirm` gave for the plan made here.
        renames: Ids ("table.old -> new", "table -> new") of further drops and adds that the person
            is to be asked about, however unlike they are. With a token they do not count.
        branch: Of several heads, the one that the revision follows (a label or a revision); with a
            token, its plan's counts.
        strategy: "safer" writes several revisions for the changes that are hazardous at once. With
            a token the strategy is the one that was confirmed.
        archive: Have the revision archive what it drops or narrows, and its downgrade put it back.
            With a token the plan says it.

    Raises:
        ChooseDatabase: Several databases were analyzed, and a person has to decide on one.
        NoSequence: "safer" was asked for, and there is no sequence for a change.
        OutOfOrder: No analysis was made.
        UnknownAnalysis: This project has no such analysis.
        AnalysisStale: Models or database moved on since.
        UnknownRename: The models want no such rename.
        GateError: The token does not allow it.
        ProjectError: The file could not be generated.
    """
    manner = Manner(strategy=strategy, archive=archive)
    analysis = _analysis(session, analysis_id)
    session = session.on(analysis.bind)
    seen = session.on(next(iter(analysis.binds), analysis.bind)).project.describe()
    _still_wanted(session, analysis)
    named = () if token else tuple(renames)
    critical = analysis.risk == "CRITICAL"
    if not (critical or named or using.renames(session, analysis.operations).candidates):
        return _written(session, analysis, message, manner, head=follows(seen, branch))
    if analysis.binds:
        raise refused(session, None, ChooseDatabase(databases=", ".join(analysis.binds)))
    if token is None:
        draft = _draft(session, seen, analysis, message, named, manner)
        asked = replace(draft, branch=follows(seen, branch))
        return _asking(make_plan(session, seen, asked, session.project.files()))
    plan = _confirmed(session, analysis, token, manner)
    manner, chosen = replace(manner, archive=bool(plan.archives)), gate.choice(session, plan, token)
    return _written(session, analysis, message, manner, plan, head=plan.branch, chosen=chosen)


def _confirmed(session: Session, analysis: Analysis, token: str, manner: Manner) -> Plan:
    """The plan that the token was given for, if it is for this."""
    plan = gate.plan_of(session, token, kind="generate")
    if plan.to_revision != analysis.analysis_id:
        raise refused(session, plan, OutOfOrder(step="generate", first="confirm"))
    if plan.strategy != manner.strategy:
        step = f"generate ({manner.strategy})"
        raise refused(session, plan, OutOfOrder(step=step, first="confirm"))
    return plan


def follows(seen: Description, branch: str | None) -> str | None:
    """The head that a new revision follows; None where there is no revision yet.

    Raises:
        SeveralHeads: There are several, and none was said.
        UnknownBranch: There is none like it.
    """
    if branch:
        return graph.on_branch(seen, branch, seen.heads)
    return graph.only_head(seen) if seen.heads else None


def _analysis(session: Session, analysis_id: str) -> Analysis:
    if not analysis_id:
        raise refused(session, None, OutOfOrder(step="generate", first="analyze"))
    analysis = session.store.analysis(analysis_id) if analysis_id.isascii() else None
    mine = (session.project.name, session.project.environment)
    if analysis is None or (analysis.project, analysis.environment) != mine:
        error = UnknownAnalysis(analysis_id=visible(analysis_id, limit=80))
        raise refused(session, None, error)
    return analysis


def _still_wanted(session: Session, analysis: Analysis) -> None:
    operations = wanted(session, analysis)
    if not operations:
        raise refused(session, None, NoChanges())
    if operations != analysis.operations:
        raise refused(session, None, AnalysisStale(analysis_id=analysis.analysis_id))


def _all_known(session: Session, named: Sequence[str], found: tuple[RenameCandidate, ...]) -> None:
    """Refuse what is no drop and add that could be a rename."""
    known = {c.rename.id for c in found}
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        raise refused(session, None, UnknownRename(rename=visible(unknown, limit=120)))


def _draft(
    session: Session,
    seen: Description,
    analysis: Analysis,
    message: str,
    named: tuple[str, ...],
    manner: Manner,
) -> Draft:
    """What the person is asked. The plan says what happens where no candidate is a rename."""
    operations = analysis.operations
    judgement = judged(session, seen, operations)
    renames = using.renames(session, operations, facts=judgement.facts, named=named)
    _all_known(session, named, renames.candidates)
    findings = judgement.findings
    costs = archives.costs(operations, judgement.facts, seen.database.identity.dialect)
    return Draft(
        kind="generate",
        to_revision=analysis.analysis_id,
        revisions=(),
        description=message,
        path="",
        changes=tuple(checklist.describe(o) for o in operations),
        findings=findings,
        facts=renames.facts,
        warnings=(
            *words.used_lines(judgement.references),
            *archives.offer(costs, taken=manner.archive),
            words.generation_question(findings, operations, renames.candidates),
            *_in_phases(session, seen, operations, message, manner.strategy),
        ),
        sql=None,
        rollback_command="delete the generated file before it is applied",
        pictures=pictures(session, operations),
        renames=renames.candidates,
        strategy=manner.strategy,
        archives=costs if manner.archive else (),
    )


def _asking(plan: Plan) -> GenerateResult:
    decides = " There the person says of each rename whether it is one." if plan.renames else ""
    same = "message, the same strategy" if plan.strategy != "direct" else "message"
    return GenerateResult(
        status="needs_confirmation",
        plan_id=plan.plan_id,
        question=question_text(plan),
        next_step=f"No file was written. Call `confirm` with plan_id {plan.plan_id}.{decides} Then "
        f"call `generate` again with the same analysis_id, the same {same} and the token.",
    )


def _in_phases(
    session: Session,
    seen: Description,
    operations: Sequence[Operation],
    message: str,
    strategy: Strategy,
) -> tuple[str, ...]:
    """What the person is told of the sequence that would be written."""
    if strategy == "direct":
        found = phases.wanted(session, seen, operations)
        return (words.safer_question(found),) if found else ()
    planned = phases.planned(session, seen, operations, message)
    return ("\n".join((_PHASES, *planned.told)),) if planned else ()


_PHASES = "It is written in phases (what you call a rename in phases of its own):"


def _written(
    session: Session,
    analysis: Analysis,
    message: str,
    manner: Manner,
    plan: Plan | None = None,
    *,
    head: str | None,
    chosen: Sequence[str] = (),
) -> GenerateResult:
    candidates = plan.renames if plan else ()
    renames = tuple(c.rename for c in candidates if c.rename.id in chosen)
    kept = archives.wishes(session.project.diff(renames).operations) if manner.archive else ()
    if manner.strategy == "safer":
        made, *later = phases.written(session, analysis.operations, message, renames, kept)
    else:
        made, later = session.project.generate(message, renames, kept, head=head), ()
    told = "; ".join(choices.outcomes(candidates, chosen))
    named = ", ".join(f"{m.revision} in {m.path}" for m in (made, *later))
    record(session, "generated", plan, f"{named}{told and f': {told}'}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        also=tuple(m.path for m in later),
        warning=made.note,
        renames=choices.outcomes(candidates, chosen),
        archives=archives.lines(made.archives, made.not_archived),
        next_step="Show the path. Nothing was applied. Call `review` with revision "
        f"{made.revision}." + (_LATER if later else ""),
    )


_LATER = (
    " The other files are its later phases: each is reviewed, confirmed and applied by itself, and "
    "refused until what it needs shows in the database."
)
