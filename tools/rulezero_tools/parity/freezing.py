"""From edits to a frozen files plan, kept and recorded, with every file bound as it is now."""

from collections.abc import Iterable

from rulezero_policies.parity import filewords
from rulezero_policies.parity.changes import SettingsPlan
from rulezero_policies.plan import Plan, PlannedChange
from rulezero_tools.parity import observing
from rulezero_tools.planning import record
from rulezero_tools.ports import Session


def frozen(
    session: Session,
    settings: SettingsPlan,
    *,
    description: str,
    warnings: tuple[str, ...],
    read: Iterable[str],
) -> Plan:
    """A files plan, kept and recorded; the files that it rests on are bound as they are now.

    Raises:
        FileRefused: One of them is no plain text file.
    """
    now, paths = session.clock.now(), [t.path for t in settings.targets]
    plan = Plan(
        kind="files",
        project=session.project.name,
        environment=session.project.environment,
        protected=observing.guarded(session, settings.environment, paths),
        database=observing.identity(session),
        from_revisions=(),
        to_revision="no revision",
        revisions=(),
        files=observing.hashes(session, paths, read),
        sql=None,
        fingerprint=None,
        description=description,
        path=paths[0],
        changes=tuple(_changes(settings)),
        findings=(),
        facts=(),
        verdict="SAFE",
        # What production runs with is never changed as if it were nothing.
        risk="WARNING",
        warnings=warnings,
        phrases=(),
        rollback_command="`rollback` with restore set to this plan's id, then `confirm`, `apply`",
        policy=session.policy.digest,
        created=now,
        expires=now + session.policy.plan_life,
        settings=settings,
    )
    session.store.save_plan(plan, {})
    record(session, "proposed", plan, f"files: {len(paths)} to write, risk {plan.risk}")
    return plan


def _changes(settings: SettingsPlan) -> Iterable[PlannedChange]:
    for target in settings.targets:
        for line in filewords.edits(target):
            yield PlannedChange(subject=target.path, description=line)


def kept_in(settings: SettingsPlan) -> str:
    """Where the backup goes, in words."""
    return (
        "What each file holds now is kept first, readable by you alone, in a folder of this plan "
        f"below {settings.backups}; if that fails, nothing is written."
    )
