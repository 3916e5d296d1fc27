"""What the models want changed: the five questions, with what the live data says."""

from dataclasses import dataclass, replace

from rulezero_policies import checklist, risk, rules, words
from rulezero_policies.errors import ChooseDatabase
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.plan import PlannedChange, digest
from rulezero_policies.references import References, told
from rulezero_policies.scene import Scene, questions
from rulezero_policies.text import visible
from rulezero_tools.databases import views
from rulezero_tools.planning import database_view, fact_views, holes, record
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.reaching import reaches_out, unjudged
from rulezero_tools.records import Analysis, Description, Unseen, UnseenChange
from rulezero_tools.results import AnalyzeResult, reference_views, rename_views
from rulezero_tools.using import Renames, references, renames


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the rules say of a model diff, what was counted for it, and what code uses of it."""

    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    references: References | None


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One database as it was compared with its models; `name` where there are several."""

    seen: Description
    operations: tuple[Operation, ...]
    judgement: Judged
    renames: Renames
    blind: Unseen
    name: str | None = None


@loads_once
def analyze(session: Session, *, description: str = "") -> AnalyzeResult:
    """Compare models and database, count what matters, class the risk. Writes nothing.

    Of a project that migrates several databases, and none of them chosen, each is compared.

    Raises:
        ProjectError: The project cannot be read, or is not at its heads.
    """
    try:
        looks, every = (_look(session),), ()
    except ChooseDatabase:
        every = session.project.databases()
        looks = tuple(_look(session.on(one.name), one.name) for one in every)
    analysis = _kept(session, looks, description)
    return replace(_result(session, looks, analysis), databases=views(looks[0].seen, every))


def _look(session: Session, name: str | None = None) -> _Look:
    seen = session.project.describe()
    operations = session.project.diff().operations
    judgement = judged(session, seen, operations)
    return _Look(
        seen=seen,
        operations=operations,
        judgement=judgement,
        renames=renames(session, operations, facts=judgement.facts),
        blind=session.project.unseen(),
        name=name,
    )


def _result(session: Session, looks: tuple[_Look, ...], analysis: Analysis) -> AnalyzeResult:
    first, operations = looks[0], analysis.operations
    findings = _findings(looks)
    used = [look.judgement.references for look in looks if look.judgement.references]
    seen_not = tuple(change for look in looks for change in look.blind.changes)
    proposed = tuple(c for look in looks for c in look.renames.candidates)
    return AnalyzeResult(
        analysis_id=analysis.analysis_id,
        project=session.project.name,
        environment=session.project.environment,
        database=database_view(first.seen),
        risk=risk.risk(findings),
        changes=tuple(_of(look, checklist.describe(o)) for look in looks for o in look.operations),
        breaking=findings,
        strategy=checklist.strategy(findings, operations),
        foreign_key_order=checklist.foreign_key_order(operations),
        indexes_to_add=tuple(i for look in looks for i in _indexes(look)),
        checklist=checklist.pre_migration_checklist(findings) if operations else (),
        facts=tuple(f for look in looks for f in fact_views(look.renames.facts)),
        references=tuple(v for found in used for v in reference_views(found)),
        references_total=sum(found.total for found in used),
        rename_candidates=rename_views(proposed),
        warnings=(
            *words.critical_warnings(findings, operations),
            *map(_unseen, seen_not),
            *holes(unjudged(first.seen.interceptions)),
        ),
        not_compared=tuple(dict.fromkeys(n for look in looks for n in look.blind.not_compared)),
        next_step=_next(analysis, proposed=bool(proposed), unseen=bool(seen_not)),
    )


def _findings(looks: tuple[_Look, ...]) -> tuple[Finding, ...]:
    """All findings, each with the name of its database where there are several."""
    return tuple(
        f if look.name is None else replace(f, evidence=f"[{look.name}] {f.evidence}")
        for look in looks
        for f in look.judgement.findings
    )


def _of(look: _Look, change: PlannedChange) -> PlannedChange:
    return (
        change if look.name is None else replace(change, subject=f"{look.name}: {change.subject}")
    )


def _indexes(look: _Look) -> tuple[str, ...]:
    dialect = look.seen.database.identity.dialect
    return checklist.indexes_worth_adding(look.operations, dialect=dialect)


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


def _kept(session: Session, looks: tuple[_Look, ...], description: str) -> Analysis:
    project, level = session.project, risk.risk(_findings(looks))
    operations = tuple(o for look in looks for o in look.operations)
    current = tuple(r for look in looks for r in look.seen.database.current)
    binds = tuple(look.name for look in looks if look.name is not None)
    of = [project.name, project.environment, current, [digest(o) for o in operations]]
    name = digest([*of, project.bind, binds] if project.bind or binds else of)
    analysis = Analysis(
        analysis_id=f"analysis-{name[:16]}",
        project=project.name,
        environment=project.environment,
        operations=operations,
        risk=level,
        description=description,
        from_revisions=current,
        created=session.clock.now(),
        bind=project.bind,
        binds=binds,
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
    if analysis.binds and (proposed or analysis.risk == "CRITICAL"):
        return (
            "Show this to the person. It is decided database by database: call `analyze` again "
            f"with `database` set to one of {', '.join(analysis.binds)}, then go on with that."
        )
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
