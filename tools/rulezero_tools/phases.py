"""The safer approach, where `generate` asks for it: what it would be, and writing it."""

from collections.abc import Sequence

from rulezero_policies.archives import Wish
from rulezero_policies.errors import NoSequence
from rulezero_policies.findings import Question
from rulezero_policies.operations import Operation
from rulezero_policies.renames import Rename
from rulezero_policies.text import visible
from rulezero_tools import safer
from rulezero_tools.planning import refused
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Generated


def planned(
    session: Session,
    seen: Description,
    operations: Sequence[Operation],
    message: str,
    renames: Sequence[Rename] = (),
) -> safer.Sequenced | None:
    """The sequence for these changes; None where none of them needs one.

    Raises:
        NoSequence: A change needs one, and none can be written for it.
    """
    try:
        return _sequence(session, seen, operations, message, renames)
    except NoSequence as error:
        raise refused(session, None, error) from None


def _sequence(
    session: Session,
    seen: Description,
    operations: Sequence[Operation],
    message: str,
    renames: Sequence[Rename],
) -> safer.Sequenced | None:
    places = safer.nullable(operations)
    asked = [Question(probe="nulls", table=table, column=column) for table, column in places]
    counted = session.project.probe(asked) if asked else ()
    return safer.sequence(
        operations,
        session.project.shapes(safer.tables(operations)),
        dialect=seen.database.identity.dialect,
        message=message,
        nulls={place: fact.count for place, fact in zip(places, counted, strict=True)},
        renames=renames,
    )


def wanted(session: Session, seen: Description, operations: Sequence[Operation]) -> tuple[str, ...]:
    """The phases that "safer" would write here; empty where it has nothing to offer."""
    try:
        found = _sequence(session, seen, operations, "", ())
    except NoSequence:
        return ()
    return found.told if found else ()


def written(
    session: Session,
    operations: Sequence[Operation],
    message: str,
    renames: Sequence[Rename],
    archive: Sequence[Wish] = (),
) -> tuple[Generated, ...]:
    """Write the sequence; where no change needs one, the one revision that there would be.

    Raises:
        NoSequence: A change needs one, and none can be written for it.
        ProjectError: A file could not be written.
    """
    seen = session.project.describe()
    found = planned(session, seen, operations, message, renames)
    if found is None:
        return (session.project.generate(message, renames, archive),)
    if archive:
        subject = visible(archive[0].subject)
        raise refused(session, None, NoSequence(subject=subject, reason=_NOT_BOTH))
    # What it renames it makes itself: autogenerate is to go on taking it for a drop and an add.
    return session.project.write_sequence(found.files, found.without)


_NOT_BOTH = (
    "an archive is written by a direct revision alone; have the drop in a change of its own, or "
    "call `generate` without `archive`"
)
