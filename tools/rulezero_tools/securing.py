"""The backup right before a run: made once everything else fits, before the token is spent."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rulezero_policies.backup import Backup
from rulezero_policies.errors import BackupFailed, PlanStale
from rulezero_policies.plan import Plan
from rulezero_tools import gate
from rulezero_tools.planning import record, refused
from rulezero_tools.ports import Session


@contextmanager
def secured(
    session: Session, plan: Plan, token: str, progress: Callable[[str], None]
) -> Generator[Backup | None]:
    """The backup that `plan` promises; if the block fails, its run does not begin, and it goes.

    Args:
        session: The project, the store and the caller.
        plan: What is about to run.
        token: Everything but its spending is checked before the work is begun.
        progress: Is told what is being done.

    Yields:
        The backup; None where none is promised.

    Raises:
        BackupFailed: It could not be made; the token is not spent.
        GateError: The token is not good, or something changed since; also what is put back.
        ProjectError: The project cannot be read.
    """
    _check_restored(session, plan)
    planned = plan.backup
    if planned is None or planned.refused is not None:
        yield None
        return
    gate.check(session, plan, token)
    made = _made(session, plan, progress)
    told = f"{made.form}, sha256 {made.sha256}, {made.bytes} bytes, {made.path}; {made.checked}"
    try:
        record(session, "backed up", plan, told)
        yield made
    except BaseException:
        if session.backups is not None:
            session.backups.discard(made)
        raise


def _check_restored(session: Session, plan: Plan) -> None:
    """What is to be put back is looked at while the token is still good for something."""
    if plan.restoring is None:
        return
    changed = None
    if session.backups is None or not session.backups.unchanged(plan.restoring.backup):
        changed = "the backup is gone, or is not what was approved"
    elif session.backups.mark() != plan.restoring.mark:
        changed = "tables were made anew since"
    if changed:
        raise refused(session, plan, PlanStale(plan_id=plan.plan_id, differences=changed))


def _made(session: Session, plan: Plan, progress: Callable[[str], None]) -> Backup:
    if session.backups is None:
        none = BackupFailed(reason="no backups are set up here", mend="Make another plan.")
        raise refused(session, plan, none)
    try:
        return session.backups.make(plan, progress)
    except BackupFailed as error:
        raise refused(session, plan, error) from None
