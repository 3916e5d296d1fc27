"""Write the revision; a CRITICAL one only after a person said to go on."""

from collections.abc import Sequence

from rulezero_policies import checklist, words
from rulezero_policies.errors import (
    AnalysisStale,
    ChooseDatabase,
    NoChanges,
    OutOfOrder,
    UnknownAnalysis,
    UnknownRename,
)
from rulezero_policies.plan import Plan
from rulezero_policies.renames import Rename
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

    Args:
        session: The project, the store and the caller.
        analysis_id: From `analyze`; the models must still want exactly that.
        message: The revision's message.
        token: For a CRITICAL analysis: what `confirm` gave for the plan made here.
        renames: Ids of the analysis's rename candidates that are renames. With a token, those of
            its plan count, and nothing else.
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
    if analysis.risk != "CRITICAL" and not renames:
        return _written(session, message, None, follows(seen, branch))
    if analysis.binds:
        raise refused(session, None, ChooseDatabase(databases=", ".join(analysis.binds)))
    if token is None:
        chosen = _chosen(session, analysis, renames)
        return _stop(session, seen, analysis, message, chosen, follows(seen, branch))
    plan = gate.plan_of(session, token, kind="generate")
    if plan.to_revision != analysis.analysis_id:
        raise refused(session, plan, OutOfOrder(step="generate", first="confirm"))
    gate.redeem(session, plan, token)
    return _written(session, message, plan, plan.branch)


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


def _chosen(session: Session, analysis: Analysis, ids: Sequence[str]) -> tuple[Rename, ...]:
    """The candidates of these ids."""
    known = {c.rename.id: c.rename for c in using.renames(session, analysis.operations)}
    unknown = next((name for name in ids if name not in known), None)
    if unknown is not None:
        raise refused(session, None, UnknownRename(rename=visible(unknown, limit=120)))
    chosen = tuple(known[name] for name in dict.fromkeys(ids))
    twice = next((r for r in chosen if any(_clash(r, o) for o in chosen)), None)
    if twice is not None:
        raise refused(session, None, UnknownRename(rename=f"{twice.id} beside another of them"))
    return chosen


def _clash(one: Rename, other: Rename) -> bool:
    """Whether two renames want the same name."""
    same = (one.kind, one.schema, one.table) == (other.kind, other.schema, other.table)
    tables = one.kind == other.kind == "table" and one.new == other.new
    return one != other and (tables or (same and (one.old == other.old or one.new == other.new)))


def _stop(
    session: Session,
    seen: Description,
    analysis: Analysis,
    message: str,
    renames: tuple[Rename, ...],
    head: str | None,
) -> GenerateResult:
    operations = session.project.diff(renames).operations if renames else analysis.operations
    judgement = judged(session, seen, operations)
    findings = judgement.findings
    draft = Draft(
        kind="generate",
        to_revision=analysis.analysis_id,
        revisions=(),
        description=message,
        path="",
        changes=tuple(checklist.describe(o) for o in operations),
        findings=findings,
        facts=judgement.facts,
        warnings=(
            *words.used_lines(judgement.references),
            *words.rename_lines(renames, using.renames(session, operations)),
            words.generation_question(findings, operations),
        ),
        sql=None,
        rollback_command="delete the generated file before it is applied",
        pictures=pictures(session, operations),
        renames=renames,
        branch=head,
    )
    plan = make_plan(session, seen, draft, session.project.files())
    return GenerateResult(
        status="needs_confirmation",
        plan_id=plan.plan_id,
        question=question_text(plan),
        next_step=f"No file was written. Call `confirm` with plan_id {plan.plan_id}; then call "
        "`generate` again with the same analysis_id, the same message and the token.",
    )


def _written(session: Session, message: str, plan: Plan | None, head: str | None) -> GenerateResult:
    made = session.project.generate(message, plan.renames if plan else (), head=head)
    record(session, "generated", plan, f"{made.revision} in {made.path}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        warning=made.note,
        next_step="Show the path. Nothing was applied. Call `review` with revision "
        f"{made.revision}.",
    )
