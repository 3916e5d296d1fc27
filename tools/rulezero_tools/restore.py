"""Plan to put a backup back: what comes with it, what is lost. It runs through the same gate."""

from collections.abc import Callable, Iterator

from rulezero_policies import words
from rulezero_policies.backup import Backup, Restoring, made_line, of_what
from rulezero_policies.errors import BackupUnusable
from rulezero_policies.findings import Finding
from rulezero_policies.plan import Plan, PlannedChange
from rulezero_policies.text import visible
from rulezero_tools import gate, graph
from rulezero_tools.backupport import Backups, Standing
from rulezero_tools.parity import restoring as settings
from rulezero_tools.planning import Draft, make_plan, refused
from rulezero_tools.ports import Session, loads_once, silent
from rulezero_tools.records import Description, Revision

RULE = "restore"

_FIX = "Keep what was written since: the backup that is made before the restore holds it."


@loads_once
def restore(session: Session, *, plan_id: str, progress: Callable[[str], None] = silent) -> Plan:
    """Plan to put back the backup that was made before a plan ran.

    Args:
        session: The project, the store and the caller.
        plan_id: The plan that ran.
        progress: Is told what is being done.

    Raises:
        UnknownPlan: There is no such plan here.
        BackupUnusable: It has no backup, or that cannot be put back.
        ProjectError: The project cannot be read.
    """
    ran = gate.find_plan(session, plan_id, step="rollback")
    if ran.kind == "files":
        return settings.restore(session, ran)
    backups, backup = _backup_of(session, ran)
    progress("reading the project and its database")
    seen = session.project.describe()
    _check(session, seen, ran, backup)
    progress("looking at the backup and at what it would replace")
    if not backups.unchanged(backup):
        reason = f"{backup.path} is gone, or is not what was written then"
        raise refused(session, ran, BackupUnusable(reason=reason, mend=_OTHER))
    standing = backups.standing(backup)
    return make_plan(session, seen, _draft(seen, backup, standing), session.project.files())


_OTHER = "Look for another backup; `rollback` without `restore` plans a downgrade."


def _backup_of(session: Session, ran: Plan) -> tuple[Backups, Backup]:
    run = session.store.run(ran.plan_id)
    if session.backups is None or run is None or run.backup is None:
        reason = f"none was made before {ran.plan_id} ran"
        raise refused(session, ran, BackupUnusable(reason=reason, mend=_OTHER))
    return session.backups, run.backup


def _check(session: Session, seen: Description, ran: Plan, backup: Backup) -> None:
    label = seen.database.identity.label
    if label != backup.database:
        reason = f"it is of {backup.database}, and this is {label}"
        raise refused(session, ran, BackupUnusable(reason=reason, mend=_OTHER))


def _draft(seen: Description, backup: Backup, standing: Standing) -> Draft:
    restoring = Restoring(
        backup=backup, first=standing.first, last=standing.last, mark=standing.mark
    )
    at = graph.at(seen.database.current)
    return Draft(
        kind="restore",
        to_revision=graph.at(backup.revisions),
        revisions=(),
        description=f"put back {of_what(backup.tables)} as of {_when(backup)}",
        path=backup.path,
        changes=tuple(_changes(backup, standing)),
        findings=tuple(_findings(backup, standing)),
        facts=(),
        warnings=tuple(_warnings(backup)),
        sql=_sql(restoring),
        rollback_command=words.upgrade_command(seen.flavour, at if at != "base" else "head"),
        restoring=restoring,
    )


def _when(backup: Backup) -> str:
    return f"{backup.made:%Y-%m-%d %H:%M:%S} UTC"


def _pairs(backup: Backup, standing: Standing) -> Iterator[tuple[str, int | None, int | None]]:
    """Each table that it is about, with its rows now and in the backup."""
    now = {(t.schema, t.table): t.rows for t in standing.rows}
    then = {(t.schema, t.table): t.rows for t in backup.rows}
    about = [*then, *(() if backup.tables else (place for place in now if place not in then))]
    for place in about:
        yield _name(*place), now.get(place), then.get(place)


def _name(schema: str | None, table: str) -> str:
    return visible(f"{schema}.{table}" if schema else table)


def _changes(backup: Backup, standing: Standing) -> Iterator[PlannedChange]:
    for name, now, then in _pairs(backup, standing):
        if then is None:
            told = f"dropped: it is not in the backup (it has {now:,} rows)"
        elif now is None:
            told = f"comes back with {then:,} rows"
        else:
            told = f"put back: {now:,} rows now, {then:,} in the backup"
        yield PlannedChange(subject=name, description=told)


def _findings(backup: Backup, standing: Standing) -> Iterator[Finding]:
    for name, now, then in _pairs(backup, standing):
        if now is not None and now != then:
            yield _finding(name, _lost(now, then))
    what = "everything that was written" if not backup.tables else "everything written there"
    told = f"{what} since {_when(backup)} is lost, also where the counts are the same"
    yield _finding(of_what(backup.tables), told)


def _lost(now: int, then: int | None) -> str:
    if then is None:
        return f"it was made since the backup and is dropped, with its {now:,} rows"
    return f"it has {now:,} rows now and {then:,} in the backup, which take their place"


def _finding(subject: str, evidence: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="CRITICAL",
        subject=subject,
        evidence=evidence,
        outcome="loses_data",
        fix=_FIX,
    )


def _warnings(backup: Backup) -> Iterator[str]:
    yield f"The backup: {made_line(backup)}"
    if backup.form == "mariadb-dump":
        yield (
            "This database commits every statement by itself: a restore that is cut off is half "
            "done, and is made again from its beginning."
        )


def _sql(restoring: Restoring) -> str:
    """What is sent around the backup; the backup itself has no end that a person could read."""
    backup = restoring.backup
    between = f"-- {backup.path} (sha256 {backup.sha256}) is put back here"
    return "\n".join(
        (*(f"{s};" for s in restoring.first), between, *(f"{s};" for s in restoring.last))
    )


def offer(session: Session, undone: tuple[Revision, ...]) -> str | None:
    """The backup that has the data which an undone upgrade destroyed, in words; None for none."""
    ids = {revision.id for revision in undone}
    for plan in session.store.plans(session.project.name):
        mine = plan.environment == session.project.environment and plan.kind == "upgrade"
        run = session.store.run(plan.plan_id) if mine and ids & set(plan.revisions) else None
        if run is not None and run.backup is not None:
            return (
                f"A downgrade brings back no data. A backup from before the upgrade "
                f"({_when(run.backup)}) has it: `rollback` with restore={plan.plan_id!r} plans to "
                "put that back instead."
            )
    return None
