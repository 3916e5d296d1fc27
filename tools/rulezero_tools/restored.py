"""How a restore ended: told by its process, else by what the tables are now."""

from rulezero_policies.backup import Backup, Restoring
from rulezero_tools import graph
from rulezero_tools.endings import Judged
from rulezero_tools.landing import ReadBack
from rulezero_tools.records import Ending, RunReport

AGAIN = "Restore again, from the beginning: `rollback` with restore={plan_id!r} makes that plan."


def judge(restoring: Restoring, report: RunReport, seen: ReadBack) -> Judged:
    """What is known of a restore, in words."""
    backup = restoring.backup
    ending = _ending(restoring, report, seen)
    return Judged(
        ending=ending,
        outcome=_outcome(backup, report, seen, ending),
        sent=(),
        resume=(AGAIN.format(plan_id=backup.plan_id),) if ending == "partially applied" else (),
    )


def _ending(restoring: Restoring, report: RunReport, seen: ReadBack) -> Ending:
    """A restore in one transaction leaves either the tables that were there, or all new ones."""
    backup = restoring.backup
    if seen.current is None:
        return "unknown"
    there = set(seen.current) == set(backup.revisions)
    ended_well = report.state == "ended" and report.error is None
    if ended_well:
        return "applied" if there else "partially applied"
    if _never_sent(report):
        return "nothing happened"
    return _by_the_tables(restoring, seen, there=there)


def _by_the_tables(restoring: Restoring, seen: ReadBack, *, there: bool) -> Ending:
    """How one ended whose process could not tell it."""
    whole = restoring.backup.form != "mariadb-dump"
    if seen.mark is None or restoring.mark is None:
        return "unknown"
    if seen.mark == restoring.mark:
        return "rolled back whole" if whole else "nothing happened"
    if not whole:
        return "partially applied"
    return "applied" if there else "unknown"


def _never_sent(report: RunReport) -> bool:
    return report.state == "never began" or (report.error or "").startswith("MovedError")


def _outcome(backup: Backup, report: RunReport, seen: ReadBack, ending: Ending) -> str:
    why = report.error or _STATES.get(report.state, "The restore reported no error")
    if seen.current is None:
        return f"Unknown: {why}, and the database could not be read back afterwards."
    now = graph.at(seen.current)
    match ending:
        case "applied":
            return _applied(backup, report, seen, why)
        case "nothing happened" | "rolled back whole":
            return f"{why}. {ending.capitalize()}. The database is still at {now}."
        case "partially applied":
            return (
                f"{why}. The database is at {now}: part of the backup was put back, for this "
                "database commits every statement by itself."
            )
        case _:
            return (
                f"Unknown: {why}, the database is at {now}, and neither its tables nor the run "
                f"tell whether the backup was put back. {AGAIN.format(plan_id=backup.plan_id)}"
            )


def _applied(backup: Backup, report: RunReport, seen: ReadBack, why: str) -> str:
    back = f"the database was read back at {graph.at(seen.current or ())}"
    same = backup.fingerprint is None or seen.fingerprint == backup.fingerprint
    schema = "" if same else ", and its schema is not quite what it was then: compare it"
    good = report.state == "ended" and report.error is None
    return f"{back[0].upper()}{back[1:]}{schema}." if good else f"{why}, but {back}{schema}."


_STATES = {
    "never began": "The restore never began",
    "died": "The restore's process ended before it could say how",
}
