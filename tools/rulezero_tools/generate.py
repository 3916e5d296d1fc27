"""Write the revision; a CRITICAL one only after a person said to go on."""

from collections.abc import Sequence

from rulezero_policies import archives, checklist, choices, words
from rulezero_policies.errors import (
    AnalysisStale,
    NoChanges,
    OutOfOrder,
    UnknownAnalysis,
    UnknownRename,
)
from rulezero_policies.plan import Plan
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.text import visible
from rulezero_tools import gate, using
from rulezero_tools.analyze import judged
from rulezero_tools.asking import question_text
from rulezero_tools.planning import Draft, make_plan, pictures, record, refused
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Analysis, Description
from rulezero_tools.results import GenerateResult


@loads_once
def generate(
    session: Session,
    *,
    analysis_id: str,
    message: str,
    token: str | None = None,
    renames: Sequence[str] = (),
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
        archive: Have the revision archive what it drops or narrows, and its downgrade put it back.
            With a token the plan says it.

    Raises:
        OutOfOrder: No analysis was made.
        UnknownAnalysis: This project has no such analysis.
        AnalysisStale: Models or database moved on since.
        UnknownRename: The models want no such rename.
        GateError: The token does not allow it.
        ProjectError: The file could not be generated.
    """
    analysis = _analysis(session, analysis_id)
    seen = session.project.describe()
    _still_wanted(session, analysis)
    named = () if token else tuple(renames)
    critical = analysis.risk == "CRITICAL"
    if not (critical or named or using.renames(session, analysis.operations).candidates):
        return _written(session, message, archive=archive)
    if token is None:
        return _stop(session, seen, analysis, message, named, archive=archive)
    plan = gate.plan_of(session, token, kind="generate")
    if plan.to_revision != analysis.analysis_id:
        raise refused(session, plan, OutOfOrder(step="generate", first="confirm"))
    return _written(
        session,
        message,
        plan,
        chosen=gate.choice(session, plan, token),
        archive=bool(plan.archives),
    )


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
    operations = session.project.diff().operations
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


def _stop(
    session: Session,
    seen: Description,
    analysis: Analysis,
    message: str,
    named: tuple[str, ...],
    *,
    archive: bool,
) -> GenerateResult:
    """Have the person asked."""
    draft = _draft(session, seen, analysis, message, named, archive=archive)
    plan = make_plan(session, seen, draft, session.project.files())
    decides = " There the person says of each rename whether it is one." if plan.renames else ""
    return GenerateResult(
        status="needs_confirmation",
        plan_id=plan.plan_id,
        question=question_text(plan),
        next_step=f"No file was written. Call `confirm` with plan_id {plan.plan_id}.{decides} Then "
        "call `generate` again with the same analysis_id, the same message and the token.",
    )


def _draft(
    session: Session,
    seen: Description,
    analysis: Analysis,
    message: str,
    named: tuple[str, ...],
    *,
    archive: bool,
) -> Draft:
    """What the plan says; it says what happens where no candidate is a rename."""
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
            *archives.offer(costs, taken=archive),
            words.generation_question(findings, operations, renames.candidates),
        ),
        sql=None,
        rollback_command="delete the generated file before it is applied",
        pictures=pictures(session, operations),
        renames=renames.candidates,
        archives=costs if archive else (),
    )


def _written(
    session: Session,
    message: str,
    plan: Plan | None = None,
    *,
    chosen: Sequence[str] = (),
    archive: bool,
) -> GenerateResult:
    candidates = plan.renames if plan else ()
    renames = tuple(c.rename for c in candidates if c.rename.id in chosen)
    kept = archives.wishes(session.project.diff(renames).operations) if archive else ()
    made = session.project.generate(message, renames, kept)
    told = "; ".join(choices.outcomes(candidates, chosen))
    record(session, "generated", plan, f"{made.revision} in {made.path}{told and f': {told}'}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        warning=made.note,
        renames=choices.outcomes(candidates, chosen),
        archives=archives.lines(made.archives, made.not_archived),
        next_step="Show the path. Nothing was applied. Call `review` with revision "
        f"{made.revision}.",
    )
