"""The databases of a project that migrates several: each by its name, each by itself."""

from collections.abc import Sequence

from rulezero_policies.errors import ChooseDatabase
from rulezero_policies.operations import Operation
from rulezero_tools import graph
from rulezero_tools.planning import identity_view
from rulezero_tools.ports import Session
from rulezero_tools.records import Analysis, Bind, Database, Description
from rulezero_tools.results import BindView


def chosen(session: Session) -> tuple[Session, Description, tuple[Bind, ...]]:
    """The session at the database that is meant: with none named, at the first of several.

    Returns:
        The session, the project as it stands at that database, and all of several databases.

    Raises:
        ProjectError: The project cannot be read.
    """
    try:
        seen = session.project.describe()
    except ChooseDatabase:
        every = session.project.databases()
        at = session.on(every[0].name)
        return at, at.project.describe(), every
    return session, seen, session.on(None).project.databases() if seen.databases else ()


def views(seen: Description, every: Sequence[Bind]) -> tuple[BindView, ...]:
    """Databases as results show them, each with what waits to be applied to it."""
    return tuple(
        BindView(
            name=one.name,
            database=identity_view(one.database),
            current=one.database.current,
            lacks=_lacks(seen, one.database),
            locked=one.database.locked,
        )
        for one in every
    )


def _lacks(seen: Description, database: Database) -> tuple[str, ...]:
    done = graph.lineage(seen, database.current)
    return tuple(r.id for r in seen.revisions if r.id not in done)


def behind(every: Sequence[BindView]) -> str | None:
    """Which databases something waits for, in a sentence; None where nothing does."""
    names = [repr(one.name) for one in every if one.lacks]
    if not names:
        return None
    return (
        f"Revisions wait to be applied to {', '.join(names)}: call `review` with `database` set to "
        "one of them; each is approved and applied by itself."
    )


def wanted(session: Session, analysis: Analysis) -> tuple[Operation, ...]:
    """What the models want changed now, in the databases that were analyzed."""
    names = analysis.binds or (analysis.bind,)
    return tuple(o for name in names for o in session.on(name).project.diff().operations)
