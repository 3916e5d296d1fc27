"""What a files plan is held against, and what became of it: its files are asked, no database."""

from collections.abc import Iterable

from rulezero_policies.errors import ParityRefused, ProjectError
from rulezero_policies.parity import filewords
from rulezero_policies.plan import FILES, DatabaseIdentity, FileHash, Observed, Plan
from rulezero_policies.text import scrub
from rulezero_tools.endings import Judged
from rulezero_tools.landing import ReadBack
from rulezero_tools.parity.filesport import SettingsFiles
from rulezero_tools.ports import Session
from rulezero_tools.records import Ending, Run, RunReport


def files_of(session: Session) -> SettingsFiles:
    """The project's settings files.

    Raises:
        ParityRefused: Nothing here can reach them.
    """
    if session.settings_files is None:
        reason, mend = "settings files are not set up here", "Use the server or the command line."
        raise ParityRefused(reason=reason, mend=mend)
    return session.settings_files


def identity(session: Session) -> DatabaseIdentity:
    """What a files plan changes, in the place of a database: the folder of its files.

    That may lie above the project that migrates, where several services stand side by side.
    """
    name = files_of(session).root
    return DatabaseIdentity(dialect=FILES, host=None, port=None, name=name, server_id=None)


def hashes(session: Session, targets: Iterable[str], read: Iterable[str]) -> tuple[FileHash, ...]:
    """The keyed hash of each file that is there, in a stable order.

    Args:
        session: The project, the store and the caller.
        targets: What is written: plain files inside the project.
        read: What the edits were worked out from besides.

    Raises:
        FileRefused: A target is no such file.
    """
    files, written = files_of(session), sorted(set(targets))
    others = sorted(set(read) - set(written))
    found = {**files.marks(others, follow=True), **files.marks(written)}
    return tuple(FileHash(path=path, sha256=mark) for path, mark in sorted(found.items()))


def guarded(session: Session, environment: str, paths: Iterable[str]) -> bool:
    """Whether the policy treats these files of `environment` as protected.

    What a file is for by its own name counts as well: the project's configuration says which
    environment is production, and whoever writes that must not lower who has to approve.
    """
    meant = (files_of(session).meant_for(path) for path in paths)
    return any(_guarded(session, one) for one in {environment, *meant} if one is not None)


def _guarded(session: Session, environment: str) -> bool:
    own = session.project.protected and session.project.environment == environment
    named = environment in session.policy.protected_environments
    return own or named or files_of(session).protected(environment)


def observed(session: Session, plan: Plan) -> Observed:
    """Every file of `plan` as it is now, and those that it would create.

    Raises:
        FileRefused: One is no plain text file inside the project any more.
    """
    settings = plan.settings
    written = [target.path for target in settings.targets] if settings else []
    return Observed(
        database=identity(session),
        current=(),
        files=hashes(session, written, (f.path for f in plan.files)),
        fingerprint=None,
        facts=(),
        policy=session.policy.digest,
        protected=settings is None or guarded(session, settings.environment, written),
    )


def read_back(session: Session, plan: Plan) -> ReadBack:
    """Which content each file of `plan` has after a run."""
    try:
        states = files_of(session).states(plan)
    except ProjectError as error:
        return ReadBack(current=None, why=scrub(f"{error.code}: {error}"))
    return ReadBack(current=(), states=dict(states))


def judge(plan: Plan, report: RunReport, seen: ReadBack) -> Judged:
    """How the run of a files plan ended; unknown only while a file cannot be looked at."""
    why = report.error or (
        "The run's process ended before it could say how" if report.state != "ended" else "Done"
    )
    if seen.current is None or plan.settings is None:
        told = f"Unknown: the files could not be looked at afterwards ({seen.why})."
        return Judged(ending="unknown", outcome=told, sent=())
    found = set(seen.states.values())
    ending: Ending = (
        "applied" if found == {"new"} else "nothing happened" if found == {"old"} else _PARTLY
    )
    partly = ending == _PARTLY
    back = f"`rollback` with restore={plan.plan_id!r} plans to put every file back as it was."
    again = "Mend what failed, then call `plan_parity` again: what is left is a plan of its own."
    told = filewords.outcome(plan.settings, seen.states, why.rstrip("."))
    return Judged(
        ending=ending,
        outcome=told,
        sent=(),
        resume=(again,) if partly else (),
        undo=(back,) if partly else (),
    )


_PARTLY: Ending = "partially applied"


def way_back(plan: Plan) -> str | None:
    """How what a files plan wrote is put back; None for other plans."""
    return f"`rollback` with restore={plan.plan_id!r}" if plan.kind == "files" else None


def next_step(run: Run, plan: Plan) -> str | None:
    """What comes after the run of a files plan; None for what every run has in common."""
    if plan.kind != "files" or run.status == "running":
        return None
    if run.status == "applied":
        return "Tell the person where the files are kept as they were, then call `check_parity`."
    if run.ending == "unknown":
        return "Show this. Call `apply` again with the same token once the files can be read."
    if run.ending == "nothing happened":
        return "Show the error, mend the cause, then call `plan_parity` for a new plan."
    return f"Show what is written and what not. The way back: `rollback`, restore={plan.plan_id!r}."
