"""What waits is tried on a shadow of production: once, twice, and then old rows are read."""

from rulezero_policies.errors import ChooseDatabase, NoConnection, ProjectError
from rulezero_policies.parity import safety as checks
from rulezero_policies.parity.safety import Safety
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal
from rulezero_policies.rehearsed import Trial
from rulezero_tools import graph
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.records import Description

READS = 500
"""Old rows that are read through each mapped class."""


@loads_once
def safety(session: Session, *, reads: int = READS) -> tuple[Safety, ...]:
    """Try production's migration on a shadow of each of its databases; production is only read.

    Args:
        session: The project in the environment that is production.
        reads: Old rows that are read through each mapped class at most.

    Returns:
        One answer a database. What could not be tried is unknown, and a database that does not
        open has failed.
    """
    try:
        seen = session.project.describe(lenient=True)
    except ChooseDatabase:
        binds = session.project.databases()
        return tuple(_of_bind(session.on(one.name), one.name, reads) for one in binds)
    except ProjectError as error:
        return (_unread(error),)
    return (_tried(session, seen, session.project.bind, reads),)


def _of_bind(session: Session, name: str, reads: int) -> Safety:
    try:
        return _tried(session, session.project.describe(lenient=True), name, reads)
    except ProjectError as error:
        return _unread(error, name)


def _unread(error: ProjectError, name: str | None = None) -> Safety:
    """A database that does not open is a finding; a project that does not load is none about it."""
    return checks.none(_said(error), name=name, failed=isinstance(error, NoConnection))


def _said(error: ProjectError) -> str:
    return f"{str(error).rstrip('.')}. {error.advice}".strip()


def _tried(session: Session, seen: Description, name: str | None, reads: int) -> Safety:
    why = _hindered(seen)
    if session.rehearser is None or why:
        return checks.none(why or "nothing is rehearsed here", name=name)
    try:
        answer = session.rehearser.twice(
            start=seen.database.current,
            to="heads",
            identity=seen.database.identity,
            files=session.project.files(),
            reads=reads,
        )
        return _judged(session, seen, answer, name)
    except ProjectError as error:
        return checks.none(_said(error), name=name)


def _hindered(seen: Description) -> str:
    """Why the revisions cannot run; "" where they can."""
    if graph.is_broken(seen):
        return "revision files do not load or fit together: `review` says which"
    stray = [flaw.revision or "" for flaw in graph.unknown(seen)]
    if stray:
        return f"the database stands at {', '.join(stray)}, which no revision file has"
    return ""


def _judged(
    session: Session, seen: Description, answer: Rehearsal | NotRehearsed, name: str | None
) -> Safety:
    if isinstance(answer, NotRehearsed):
        return checks.untried(answer, name=name)
    waiting = tuple(r.id for r in graph.pending(seen))
    traces = session.project.trace(waiting) if waiting else ()
    trial = Trial(
        rehearsal=answer,
        dialect=seen.database.identity.dialect,
        first=tuple(o for trace in traces for o in trace.upgrade),
        revisions=waiting,
    )
    return checks.judged(trial, name=name)
