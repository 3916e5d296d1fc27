"""Write the revision; a CRITICAL one only after a person said to go on."""

from rulezero_policies import checklist, words
from rulezero_policies.errors import AnalysisStale, NoChanges, OutOfOrder, UnknownAnalysis
from rulezero_policies.plan import Plan
from rulezero_policies.text import visible
from rulezero_tools import gate
from rulezero_tools.analyze import judged
from rulezero_tools.asking import question_text
from rulezero_tools.planning import Draft, make_plan, pictures, record, refused
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Analysis, Description
from rulezero_tools.results import GenerateResult


@loads_once
def generate(
    session: Session, *, analysis_id: str, message: str, token: str | None = None
) -> GenerateResult:
    """Do what `flask db migrate -m` / `alembic revision --autogenerate -m` does.

    Args:
        session: The project, the store and the caller.
        analysis_id: From `analyze`; the models must still want exactly that.
        message: The revision's message.
        token: For a CRITICAL analysis: what `confirm` gave for the plan made here.

    Raises:
        OutOfOrder: No analysis was made.
        UnknownAnalysis: This project has no such analysis.
        AnalysisStale: Models or database moved on since.
        GateError: The token does not allow it.
        ProjectError: The file could not be generated.
    """
    analysis = _analysis(session, analysis_id)
    seen = session.project.describe()
    _still_wanted(session, analysis)
    if analysis.risk != "CRITICAL":
        return _written(session, message, None)
    if token is None:
        return _stop(session, seen, analysis, message)
    plan = gate.plan_of(session, token, kind="generate")
    if plan.to_revision != analysis.analysis_id:
        raise refused(session, plan, OutOfOrder(step="generate", first="confirm"))
    gate.redeem(session, plan, token)
    return _written(session, message, plan)


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


def _stop(session: Session, seen: Description, analysis: Analysis, message: str) -> GenerateResult:
    judgement = judged(session, seen, analysis.operations)
    findings = judgement.findings
    draft = Draft(
        kind="generate",
        to_revision=analysis.analysis_id,
        revisions=(),
        description=message,
        path="",
        changes=tuple(checklist.describe(o) for o in analysis.operations),
        findings=findings,
        facts=judgement.facts,
        warnings=(words.generation_question(findings, analysis.operations),),
        sql=None,
        rollback_command="delete the generated file before it is applied",
        pictures=pictures(session, analysis.operations),
    )
    plan = make_plan(session, seen, draft)
    return GenerateResult(
        status="needs_confirmation",
        plan_id=plan.plan_id,
        question=question_text(plan),
        next_step=f"No file was written. Call `confirm` with plan_id {plan.plan_id}; then call "
        "`generate` again with the same analysis_id, the same message and the token.",
    )


def _written(session: Session, message: str, plan: Plan | None) -> GenerateResult:
    made = session.project.generate(message)
    record(session, "generated", plan, f"{made.revision} in {made.path}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        warning=made.note,
        next_step="Show the path. Nothing was applied. Call `review` with revision "
        f"{made.revision}.",
    )
