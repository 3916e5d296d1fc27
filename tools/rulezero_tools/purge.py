"""Plan to drop an archive for good: it goes through the same gate as everything that loses data."""

from rulezero_policies import archives, words
from rulezero_policies.errors import UnknownArchive
from rulezero_policies.findings import Finding, Question
from rulezero_policies.plan import PlannedChange
from rulezero_policies.text import visible
from rulezero_tools import graph
from rulezero_tools.planning import Draft, fact_views, make_plan, refused
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Description, Kept
from rulezero_tools.removals import ArchiveView
from rulezero_tools.results import RollbackResult

_AFTERWARDS = (
    "The downgrade of the revision that made it reads it: once it is dropped, that downgrade "
    "fails, and what was dropped then can no longer be brought back."
)

_MYSQL = frozenset({"mysql", "mariadb"})


@loads_once
def purge(session: Session, *, archive: str) -> RollbackResult:
    """Plan to drop `archive` (its name, with its schema where that is not the default one).

    Raises:
        UnknownArchive: There is no such archive; no other table can be named.
        ProjectError: The project cannot be read.
    """
    seen = session.project.describe()
    kept = _find(session, archive)
    plan = make_plan(session, seen, _draft(session, seen, kept), session.project.files())
    return RollbackResult(
        plan_id=plan.plan_id,
        from_revision=graph.at(plan.from_revisions),
        to_revision=plan.to_revision,
        verdict=plan.verdict,
        risk=plan.risk,
        changes=plan.changes,
        findings=plan.findings,
        facts=fact_views(plan.facts),
        warnings=plan.warnings,
        sql=plan.sql,
        approval_request=words.approval_request(plan),
        next_step=f"Nothing was changed. Show this to the person, then call `confirm` with plan_id "
        f"{plan.plan_id}; with the token, `apply`.",
    )


def views(session: Session) -> tuple[ArchiveView, ...]:
    """The archives in the target, as results show them, each with its age."""
    kept = session.project.archives()
    return tuple(
        ArchiveView(
            name=_name(one),
            rows=one.rows,
            at_least=one.at_least,
            bytes=one.bytes,
            note=one.note and visible(one.note, limit=200),
            days=_days(session, one),
        )
        for one in kept
    )


def _days(session: Session, kept: Kept) -> int | None:
    """For how many days it is there, by the run that made it; None where none is known."""
    part = archives.revision_of(kept.name)
    for plan in session.store.plans(session.project.name):
        mine = plan.kind == "upgrade" and plan.environment == session.project.environment
        if mine and any(archives.stem(r) == part for r in plan.revisions):
            run = session.store.run(plan.plan_id)
            if run is not None and run.status == "applied":
                return (session.clock.now() - run.started).days
    return None


def _find(session: Session, archive: str) -> Kept:
    kept = session.project.archives()
    # What is asked for only chooses among what is there: no text of a client becomes SQL.
    found = next((k for k in kept if _name(k) == archive), None)
    if found is None or not archives.is_archive(found.name):
        known = ", ".join(_name(k) for k in kept[:5]) or "there is none"
        asked = visible(archive, limit=80)
        raise refused(session, None, UnknownArchive(archive=asked, known=known))
    return found


def _name(kept: Kept) -> str:
    return visible(f"{kept.schema}.{kept.name}" if kept.schema else kept.name)


def _draft(session: Session, seen: Description, kept: Kept) -> Draft:
    name, statement = _name(kept), _drop(kept, seen.database.identity.dialect)
    facts = session.project.probe([Question(probe="rows", table=kept.name, schema=kept.schema)])
    amount = f"{'more than ' * kept.at_least}{kept.rows:,} rows"
    size = f", {kept.bytes:,} bytes" if kept.bytes is not None else ""
    return Draft(
        kind="purge",
        to_revision=graph.at(seen.database.current),
        revisions=(),
        description=f"drop the archive {name}",
        path="none: the statement is rulezero's own",
        changes=(PlannedChange(subject=name, description=f"dropped with {amount}{size}"),),
        findings=(_finding(name, amount),),
        facts=facts,
        warnings=tuple(_warnings(kept)),
        sql=f"{statement};",
        rollback_command="none: what it holds is gone",
        statements=(statement,),
        affected=((kept.schema, kept.name),),
    )


def _drop(kept: Kept, dialect: str) -> str:
    mark = "`" if dialect in _MYSQL else '"'
    parts = [part for part in (kept.schema, kept.name) if part]
    return f"DROP TABLE {'.'.join(mark + p.replace(mark, mark * 2) + mark for p in parts)}"


def _finding(name: str, amount: str) -> Finding:
    return Finding(
        rule="drop-table",
        severity="CRITICAL",
        subject=name,
        evidence=f"{amount} that were archived are gone for good",
        outcome="loses_data",
        fix="Keep it for as long as a rollback may be wanted.",
    )


def _warnings(kept: Kept) -> tuple[str, ...]:
    note = (f"The archive says of itself: {visible(kept.note, limit=200)}",) if kept.note else ()
    return (
        *note,
        _AFTERWARDS,
    )
