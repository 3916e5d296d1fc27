"""What backup a plan gets: said when it is made, so that a person decides with it in sight."""

from dataclasses import dataclass, replace

from rulezero_policies.backup import Backup, attests, wanted
from rulezero_policies.plan import Plan
from rulezero_policies.policy import with_attestation
from rulezero_policies.steps import Place
from rulezero_tools.ports import Session


@dataclass(frozen=True, kw_only=True)
class BackupView:
    """A backup as results show it: where it is, how good, and what a person types to restore it.

    `tables` is empty where it holds the whole database. `bytes` and `sha256` are the file's.
    """

    path: str
    bytes: int
    sha256: str
    tables: tuple[str, ...]
    verified: bool
    checked: str
    restore_command: str


def view(backup: Backup | None) -> BackupView | None:
    """A backup as results show it."""
    if backup is None:
        return None
    return BackupView(
        path=backup.path,
        bytes=backup.bytes,
        sha256=backup.sha256,
        tables=backup.tables,
        verified=backup.verified,
        checked=backup.checked,
        restore_command=backup.command,
    )


def foreseen(session: Session, plan: Plan, tables: tuple[Place, ...] | None) -> Plan:
    """`plan` with the backup that is made before it runs, as far as the policy asks for one.

    Args:
        session: The project, the store and the caller.
        plan: As it is so far.
        tables: Those that it touches; None where that is not known.
    """
    critical = plan.risk == "CRITICAL"
    asked = plan.kind not in {"generate", "discard"} and wanted(
        session.policy.backup, critical=critical
    )
    if session.backups is None or not asked:
        return plan
    planned = session.backups.foresee(plan.database, tables)
    typed = with_attestation(plan.phrases) if attests(planned) else plan.phrases
    return replace(plan, backup=planned, phrases=typed)
