"""Write the revision; a CRITICAL one only after a person said to go on."""

from collections.abc import Sequence

from rulezero_policies import checklist, choices, words
from rulezero_policies.errors import (
    AnalysisStale,
    ChooseDatabase,
    NoChanges,
    OutOfOrder,
    UnknownAnalysis,
    UnknownRename,
)
from rulezero_policies.plan import Plan
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.text import visible
from rulezero_tools import gate, graph, using
from rulezero_tools.analyze import judged
from rulezero_tools.asking import question_text
from rulezero_tools.databases import wanted
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
    branch: str | None = None,
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

    Raises:
        ChooseDatabase: Several databases were analyzed, and a person has to decide on one.
        OutOfOrder: No analysis was made.
        UnknownAnalysis: This project has no such analysis.
        AnalysisStale: Models or database moved on since.
        UnknownRename: The models want no such rename.
        GateError: The token does not allow it.
        ProjectError: The file could not be generated.
    """
    analysis = _analysis(session, analysis_id)
    session = session.on(analysis.bind)
    seen = session.on(next(iter(analysis.binds), analysis.bind)).project.describe()
    _still_wanted(session, analysis)
    named = () if token else tuple(renames)
    critical = analysis.risk == "CRITICAL"
    if not (critical or named or using.renames(session, analysis.operations).candidates):
        return _written(session, message, head=follows(seen, branch))
    if analysis.binds:
        raise refused(session, None, ChooseDatabase(databases=", ".join(analysis.binds)))
    if token is None:
        return _stop(session, seen, analysis, message, named, follows(seen, branch))
    plan = gate.plan_of(session, token, kind="generate")
    if plan.to_revision != analysis.analysis_id:
        raise refused(session, plan, OutOfOrder(step="generate", first="confirm"))
    chosen = gate.choice(session, plan, token)
    return _written(session, message, plan, head=plan.branch, chosen=chosen)


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


def _stop(
    session: Session,
    seen: Description,
    analysis: Analysis,
    message: str,
    named: tuple[str, ...],
    head: str | None,
) -> GenerateResult:
    """Have the person asked. The plan says what happens where no candidate is a rename."""
    operations = analysis.operations
    judgement = judged(session, seen, operations)
    renames = using.renames(session, operations, facts=judgement.facts, named=named)
    _all_known(session, named, renames.candidates)
    findings = judgement.findings
    draft = Draft(
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
            words.generation_question(findings, operations, renames.candidates),
        ),
        sql=None,
        rollback_command="delete the generated file before it is applied",
        pictures=pictures(session, operations),
        renames=renames.candidates,
        branch=head,
    )
    return _needs_confirmation(make_plan(session, seen, draft, session.project.files()))


def _needs_confirmation(plan: Plan) -> GenerateResult:
    decides = " There the person says of each rename whether it is one." if plan.renames else ""
    return GenerateResult(
        status="needs_confirmation",
        plan_id=plan.plan_id,
        question=question_text(plan),
        next_step=f"No file was written. Call `confirm` with plan_id {plan.plan_id}.{decides} Then "
        "call `generate` again with the same analysis_id, the same message and the token.",
    )


def _written(
    session: Session,
    message: str,
    plan: Plan | None = None,
    *,
    head: str | None,
    chosen: Sequence[str] = (),
) -> GenerateResult:
    candidates = plan.renames if plan else ()
    renames = tuple(c.rename for c in candidates if c.rename.id in chosen)
    made = session.project.generate(message, renames, head=head)
    told = "; ".join(choices.outcomes(candidates, chosen))
    record(session, "generated", plan, f"{made.revision} in {made.path}{told and f': {told}'}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        warning=made.note,
        renames=choices.outcomes(candidates, chosen),
        next_step="Show the path. Nothing was applied. Call `review` with revision "
        f"{made.revision}.",
    )
