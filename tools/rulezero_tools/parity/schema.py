"""Production's live schema against the models, the revisions and other environments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rulezero_policies import checklist, risk
from rulezero_policies.errors import ChooseDatabase, ProjectError
from rulezero_policies.parity import schema_found, schema_told
from rulezero_policies.parity.schema import (
    DatabaseGap,
    EnvironmentGap,
    History,
    SchemaGap,
)
from rulezero_policies.rehearsal import NotRehearsed, Thing
from rulezero_policies.text import visible
from rulezero_tools import graph
from rulezero_tools.analyze import judged
from rulezero_tools.parity.records import Built
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, UnseenChange

T = TypeVar("T")

_DRIFT = "drift (what the applied revisions make of an empty database)"

_AFTERWARDS = "what the waiting revisions make of an empty database"

Sessions = Callable[[str], Session]
"""From the name of an environment to a session in it; raises `ProjectError`."""

_ERROR = 300
"""Characters of an error that are kept."""

_NAMED = 5
"""Differences that one line names."""


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One database of production: its gap, and what else is needed of it."""

    gap: DatabaseGap
    seen: Description | None = None
    live: tuple[Thing, ...] | None = None
    unknown: tuple[str, ...] = ()


@dataclass(kw_only=True)
class _Doubts:
    """What could not be told, and why; a question that fails leaves the others be."""

    found: list[str] = field(default_factory=list[str])

    def ask(self, what: str, question: Callable[[], T]) -> T | None:
        """The answer; None where there is none, which is noted as unknown."""
        try:
            return question()
        except ProjectError as error:
            self.found.append(f"{what}: {_said(error)}")
            return None


def schema_gap(sessions: Sessions, production: str, others: Sequence[str]) -> SchemaGap:
    """Hold production's databases against the models, the revisions and other environments.

    Nothing is changed: databases are read, revisions run on an empty shadow alone.

    Args:
        sessions: Gives a session in an environment.
        production: The environment that is meant to catch up.
        others: The environments that it is held against.

    Returns:
        What differs. What cannot be reached is an error in it and a reason, never a pass.
    """
    try:
        looks = _looks(sessions(production))
    except ProjectError as error:
        looks = (_Look(gap=DatabaseGap(error=_said(error))),)
    gaps = tuple(look.gap for look in looks)
    against = tuple(gap for other in others for gap in _against(sessions, other, looks))
    return SchemaGap(
        production=production,
        databases=gaps,
        against=against,
        reasons=tuple(r for gap in gaps for r in schema_told.reasons(production, gap)),
        unknown=(
            *(u for look in looks for u in look.unknown),
            *(f"{one.environment}: {one.error}" for one in against if one.error),
            *(u for one in against for u in _undecided(one, gaps)),
        ),
        notes=tuple(n for gap in gaps for n in schema_told.notes(production, gap)),
        next_step=schema_told.next_step(production, gaps),
    )


def _undecided(other: EnvironmentGap, gaps: Sequence[DatabaseGap]) -> Iterator[str]:
    """Whose difference it is is only known where it is known what the revisions make."""
    moved = [one.text for one in other.differences if one.what != "added"]
    if moved and any(gap.name == other.name and gap.drift is None for gap in gaps):
        yield f"which of production and {other.environment} is right: {'; '.join(moved[:_NAMED])}"


def _said(error: ProjectError) -> str:
    return visible(f"{str(error).rstrip('.')}. {error.advice}".strip(), limit=_ERROR)


def _looks(session: Session) -> tuple[_Look, ...]:
    """Every database of an environment."""
    with session.project.reading():
        try:
            seen = session.project.describe(lenient=True)
        except ChooseDatabase:
            binds = session.project.databases()
            return tuple(_of_bind(session.on(one.name), one.name) for one in binds)
        return (_look(session, seen, session.project.bind),)


def _of_bind(session: Session, name: str) -> _Look:
    try:
        return _look(session, session.project.describe(lenient=True), name)
    except ProjectError as error:
        return _Look(gap=DatabaseGap(name=name, error=_said(error)))


def _look(session: Session, seen: Description, name: str | None) -> _Look:
    doubts, project = _Doubts(), session.project
    bare = _bare(seen, name)
    listing = doubts.ask("the live catalogue", project.listing)
    live = None if listing is None else listing.things
    try:
        wanted = project.gap().operations
    except ProjectError as error:
        return _Look(gap=replace(bare, error=_said(error)), seen=seen, live=live)
    history = _history(session, seen, doubts)
    waiting, readable = _waiting(session, bare.pending, doubts)
    kept = schema_found.without_drops(wanted)
    found = doubts.ask("the rules", lambda: judged(session, seen, kept).findings) or ()
    unseen = doubts.ask("what autogenerate does not see", project.unseen)
    gap = replace(
        bare,
        operations=kept,
        changes=tuple(checklist.describe(o) for o in kept),
        findings=found,
        risk=risk.risk(found),
        missing=schema_found.missing(kept, waiting, history, readable=readable),
        extra=schema_found.extras(wanted, history),
        unseen=tuple(_unseen(change) for change in (unseen.changes if unseen else ())),
        drift=schema_found.drift(history, live),
    )
    return _Look(gap=gap, seen=seen, live=live, unknown=tuple(doubts.found))


def _bare(seen: Description, name: str | None) -> DatabaseGap:
    identity = seen.database.identity
    return DatabaseGap(
        name=name,
        dialect=identity.dialect,
        current=seen.database.current,
        heads=seen.heads,
        pending=tuple(r.id for r in graph.pending(seen)),
        stray=tuple(flaw.revision or "" for flaw in graph.unknown(seen)),
        absent=identity.dialect == "sqlite" and identity.server_id is None,
    )


def _unseen(change: UnseenChange) -> str:
    return visible(f"{change.kind} {change.subject}: {change.detail}", limit=_ERROR)


def _waiting(
    session: Session, pending: Sequence[str], doubts: _Doubts
) -> tuple[schema_found.Steps, bool]:
    """What waits, as it is read, and whether all of it was understood."""
    if not pending:
        return (), True
    traces = doubts.ask("the revisions that wait", lambda: session.project.trace(pending))
    if traces is None:
        return (), False
    clear = not any(t.upgrade_error or any(o.kind == "opaque" for o in t.upgrade) for t in traces)
    return tuple((t.revision, t.upgrade) for t in traces), clear


def _history(session: Session, seen: Description, doubts: _Doubts) -> History:
    """What the revisions make of an empty shadow."""
    rehearser, what = session.rehearser, _DRIFT
    if rehearser is None:
        doubts.found.append(f"{what}: nothing is rehearsed here")
        return History()
    if graph.is_broken(seen):
        doubts.found.append(f"{what}: revision files do not load or fit together")
        return History()
    known = {r.id for r in seen.revisions}
    start = tuple(r for r in seen.database.current if r in known)
    built = doubts.ask(
        what,
        lambda: rehearser.build(
            start=start, identity=seen.database.identity, files=session.project.files()
        ),
    )
    if built is None:
        return History()
    reached = isinstance(built, Built) and built.at is not None
    if why := _shortfall(built):
        doubts.found.append(f"{_AFTERWARDS if reached else what}: {why}")
    if isinstance(built, NotRehearsed):
        return History()
    if set(start) != set(seen.database.current):
        doubts.found.append(f"{what}: the database stands at a revision that no file has")
        return History(head=built.head)
    return History(at=built.at, head=built.head)


def _shortfall(built: Built | NotRehearsed) -> str:
    """Why it is not known what the revisions make; "" where it is."""
    if isinstance(built, NotRehearsed):
        return f"{built.reason.rstrip('.')}. {built.mend}".strip()
    if built.lost or built.cut:
        return built.lost or "there was not enough time"
    if built.failed is None:
        return ""
    place = f"{built.failed.file or built.failed.revision}:{built.failed.line}"
    return f"the revisions do not run on an empty database ({place}: {built.failed.error})"


def _against(
    sessions: Sessions, environment: str, production: Sequence[_Look]
) -> Iterator[EnvironmentGap]:
    """Another environment's databases, each by the name that production's has."""
    try:
        others = {one.gap.name: one for one in _glances(sessions(environment))}
    except ProjectError as error:
        yield EnvironmentGap(environment=environment, error=_said(error))
        return
    for look in production:
        yield _compared(environment, look, others.get(look.gap.name))


def _glances(session: Session) -> tuple[_Look, ...]:
    with session.project.reading():
        try:
            seen = session.project.describe(lenient=True)
        except ChooseDatabase:
            binds = session.project.databases()
            return tuple(_glance(session.on(one.name), one.name) for one in binds)
        return (_glance(session, session.project.bind, seen),)


def _glance(session: Session, name: str | None, seen: Description | None = None) -> _Look:
    seen = seen or session.project.describe(lenient=True)
    return _Look(gap=_bare(seen, name), seen=seen, live=session.project.listing().things)


def _compared(environment: str, mine: _Look, other: _Look | None) -> EnvironmentGap:
    name = mine.gap.name
    if other is None or other.seen is None or mine.seen is None:
        why = "it has no such database" if other is None else "production could not be read"
        return EnvironmentGap(environment=environment, name=name, error=why)
    if mine.live is None or other.live is None:
        why = "the catalogue of this kind of database cannot be listed"
        return EnvironmentGap(environment=environment, name=name, error=why)
    here, there = mine.seen.database, other.seen.database
    if here.identity == there.identity:
        why = "it is the very same database as production's: nothing is compared"
        return EnvironmentGap(environment=environment, name=name, error=why)
    by_name = here.identity.dialect != there.identity.dialect
    kinds = f"{here.identity.dialect} and {there.identity.dialect}"
    rest = f"types, defaults, indexes and constraints, between {kinds}" if by_name else ""
    return EnvironmentGap(
        environment=environment,
        name=name,
        current=there.current,
        differences=schema_found.unlike(other.live, mine.live, environment, by_name=by_name),
        not_compared=rest,
    )
