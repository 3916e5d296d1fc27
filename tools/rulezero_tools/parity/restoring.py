"""Plan to put settings files back as they were before a files plan wrote them."""

from rulezero_policies.errors import BackupUnusable
from rulezero_policies.parity.changes import SettingsPlan
from rulezero_policies.plan import Plan
from rulezero_tools.parity import observing
from rulezero_tools.parity.freezing import frozen, kept_in
from rulezero_tools.planning import refused
from rulezero_tools.ports import Session


def restore(session: Session, ran: Plan) -> Plan:
    """A files plan that puts back what `ran` kept; it is approved and applied as any other.

    Raises:
        BackupUnusable: It kept nothing, or every file holds that already.
        FileRefused: A file is none that may be written, or the backup cannot be read.
    """
    files, written = observing.files_of(session), ran.settings
    if written is None or session.store.run(ran.plan_id) is None:
        reason = f"none was made before {ran.plan_id} ran"
        raise refused(session, ran, BackupUnusable(reason=reason, mend=_NOTHING))
    targets = files.foresee_restore(ran.plan_id)
    if not targets:
        reason = f"every file holds what it held before {ran.plan_id}"
        raise refused(session, ran, BackupUnusable(reason=reason, mend=_NOTHING))
    settings = SettingsPlan(
        environment=written.environment,
        targets=targets,
        backups=files.backups,
        restores=ran.plan_id,
    )
    left = {t.path: t.after for t in written.targets}
    touched = [t.path for t in targets if t.before not in {left.get(t.path), None}]
    lost = (f"Changed since by somebody else, and lost: {', '.join(touched)}.",) if touched else ()
    return frozen(
        session,
        settings,
        description=f"put {len(targets)} settings files of {written.environment} back as they were",
        warnings=(kept_in(settings), *lost),
        read=(),
    )


_NOTHING = "There is nothing to put back."
