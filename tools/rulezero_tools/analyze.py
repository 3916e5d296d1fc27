"""What the models want changed: the five questions, with what the live data says."""

from dataclasses import dataclass

from rulezero_policies import checklist, risk, rules, words
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.plan import digest
from rulezero_policies.references import References, told
from rulezero_policies.scene import Scene, questions
from rulezero_policies.text import visible
from rulezero_tools.planning import database_view, fact_views, holes, record
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.reaching import reaches_out, unjudged
from rulezero_tools.records import Analysis, Description, UnseenChange
from rulezero_tools.results import AnalyzeResult, reference_views, rename_views
from rulezero_tools.using import references, renames


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the rules say of a model diff, what was counted for it, and what code uses of it."""

    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    references: References | None


@loads_once
def analyze(session: Session, *, description: str = "") -> AnalyzeResult:
    """Compare models and database, count what matters, class the risk. Writes nothing.

    Raises:
        ProjectError: The project cannot be read, has several heads, or is not at its head.
    """
    seen = session.project.describe()
    diff = session.project.diff()
    judgement = judged(session, seen, diff.operations)
    findings = judgement.findings
    proposed = renames(session, diff.operations, facts=judgement.facts)
    blind = session.project.unseen()
    analysis = _kept(
        session, diff.operations, seen.database.current, risk.risk(findings), description
    )
    return AnalyzeResult(
        analysis_id=analysis.analysis_id,
        project=session.project.name,
        environment=session.project.environment,
        database=database_view(seen),
        risk=risk.risk(findings),
        changes=tuple(checklist.describe(o) for o in diff.operations),
        breaking=findings,
        strategy=checklist.strategy(findings, diff.operations),
        foreign_key_order=checklist.foreign_key_order(diff.operations),
        indexes_to_add=checklist.indexes_worth_adding(
            diff.operations, dialect=seen.database.identity.dialect
        ),
        checklist=checklist.pre_migration_checklist(findings) if diff.operations else (),
        facts=fact_views(proposed.facts),
        references=reference_views(judgement.references),
        references_total=judgement.references.total if judgement.references else 0,
        rename_candidates=rename_views(proposed.candidates),
        warnings=(
            *words.critical_warnings(findings, diff.operations),
            *map(_unseen, blind.changes),
            *holes(unjudged(seen.interceptions)),
        ),
        not_compared=blind.not_compared,
        next_step=_next(analysis, proposed=bool(proposed.candidates), unseen=bool(blind.changes)),
    )


def judged(session: Session, seen: Description, operations: tuple[Operation, ...]) -> Judged:
    """Judge a model diff by the rules, the live database and the project's own code."""
    asked = questions(operations, seen.database.identity.dialect)
    facts = session.project.probe(asked) if asked else ()
    scene = Scene(
        dialect=seen.database.identity.dialect,
        version=seen.database.numbers,
        stage="models",
        upgrade=operations,
        facts=facts,
    )
    used = references(session, operations)
    found = (told(f, used) for f in rules.review(scene))
    return Judged(findings=(*reaches_out(seen.interceptions), *found), facts=facts, references=used)


def _kept(
    session: Session,
    operations: tuple[Operation, ...],
    current: tuple[str, ...],
    level: str,
    description: str,
) -> Analysis:
    project = session.project
    name = digest([project.name, project.environment, current, [digest(o) for o in operations]])
    analysis = Analysis(
        analysis_id=f"analysis-{name[:16]}",
        project=project.name,
        environment=project.environment,
        operations=operations,
        risk=level,
        description=description,
        from_revisions=current,
        created=session.clock.now(),
    )
    session.store.save_analysis(analysis)
    record(session, "analyzed", None, f"{analysis.analysis_id}: changes {len(operations)}, {level}")
    return analysis


def _unseen(change: UnseenChange) -> str:
    return visible(
        f"Autogenerate does not see this {change.kind}: {change.subject}: {change.detail}. "
        f"Write it into a revision by hand: {change.code}",
        limit=800,
    )


def _next(analysis: Analysis, *, proposed: bool, unseen: bool) -> str:
    if proposed:
        return (
            "Show this to the person, then call `generate` with this analysis_id: it answers with "
            "a plan. In its confirmation the person says of each of the rename_candidates whether "
            "it is one; what is none is dropped with its data."
        )
    if unseen and not analysis.operations:
        return "Autogenerate finds nothing; what the warnings name has to be written by hand."
    if not analysis.operations:
        return "Models and database agree; there is nothing to generate."
    if analysis.risk == "CRITICAL":
        return (
            "Show this to the person. To go on, call `generate` with this analysis_id: it answers "
            "with a plan that the person has to confirm before a file is written."
        )
    return "Show this to the person, then call `generate` with this analysis_id and a message."
