"""What is wrong with the set-up, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rulezero_policies.errors import RulezeroError
from rulezero_server.app import App
from rulezero_server.shadows import prospect
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.wishes import Wishes
from rulezero_tools import databases, graph
from rulezero_tools.enrolment import enrolled
from rulezero_tools.planning import holes, protected
from rulezero_tools.ports import Session


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    good: bool
    what: str
    advice: str = ""


def doctor(directory: Path, environment: str | None) -> Iterator[Check]:
    """Look at project, interpreter, database, loading and channels, in the order they depend."""
    app = App(directory)
    try:
        session = app.session(environment, client="rulezero doctor")
        yield Check(good=True, what=f"project {session.project.name}")
        yield Check(good=True, what=f"interpreter {app.interpreter(session)}")
        yield from _project(session)
        yield _rehearsal(session, app.preferences().rehearsal)
    except RulezeroError as error:
        yield Check(good=False, what=str(error), advice=error.advice)


def _project(session: Session) -> Iterator[Check]:
    at, seen, every = databases.chosen(session)
    yield Check(
        good=True, what=f"{seen.flavour}, alembic {seen.alembic}, sqlalchemy {seen.sqlalchemy}"
    )
    for name, one in ((b.name, b.database) for b in every) if every else (("", seen.database),):
        label = f"{name} {one.identity.label}".strip()
        yield Check(good=True, what=f"database {label}, {one.version}, read-only")
    yield Check(good=True, what=f"project code is read under guard: {seen.guard}")
    yield Check(
        good=len(seen.heads) < 2,
        what=f"{len(seen.revisions)} revisions, heads: {graph.named_heads(seen) or 'none'}",
        advice="Merge the heads (`generate` with merge=true, `alembic merge heads`), or go on with "
        "each by `branch`."
        if len(seen.heads) > 1
        else "",
    )
    for hole in holes(seen.interceptions):
        yield Check(good=False, what=hole, advice="Run migrations apart from starting the app.")
    yield _approval(session, guarded=protected(at, seen.database.identity))


def _rehearsal(session: Session, wishes: Wishes) -> Check:
    """Whether revisions could be rehearsed here, and where."""
    if not wishes.on:
        return Check(good=True, what="rehearsal: switched off in policy.toml")
    seen = databases.chosen(session)[1].database
    try:
        place = prospect.where(seen.identity.dialect, seen.version, wishes)
    except NoShadow as why:
        return Check(good=False, what=f"rehearsal: {why.reason}", advice=why.mend)
    return Check(good=True, what=f"rehearsal: on {place}")


def _approval(session: Session, *, guarded: bool) -> Check:
    """Whether somebody could approve something here."""
    best = enrolled(session.desk)
    if best is not None:
        return Check(good=True, what=f"approval: {session.person} enrolled for level {best!r}")
    if guarded:
        return Check(
            good=False,
            what="approval: this database is protected, and no PIN or passkey is enrolled",
            advice="Run `rulezero enroll` in a terminal of your own.",
        )
    return Check(
        good=True, what="approval: by the client's form; `rulezero enroll` gives you more than that"
    )
