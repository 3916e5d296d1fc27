"""What goes away: where the code still uses it, and whether it only gets another name."""

from collections.abc import Sequence

from rulezero_policies.operations import Operation
from rulezero_policies.references import References, targets
from rulezero_policies.renames import RenameCandidate, candidates
from rulezero_policies.steps import Place
from rulezero_policies.usage import find
from rulezero_tools.ports import Session


def references(session: Session, operations: Sequence[Operation]) -> References | None:
    """The uses of every table and column that is dropped or renamed; None where none is.

    Raises:
        ProjectError: The project's classes cannot be read.
    """
    if not targets(operations):
        return None
    models = session.project.models()
    return find(targets(operations, models), session.project.sources(), models)


def renames(session: Session, operations: Sequence[Operation]) -> tuple[RenameCandidate, ...]:
    """The drops and adds that may be renames; the project is read only where there are both.

    Raises:
        ProjectError: The project's classes cannot be read.
    """
    if not candidates(operations):
        return ()
    places: list[Place] = [(o.schema, o.table or "") for o in operations if o.kind == "drop_column"]
    live = session.project.columns(places) if places else ()
    return candidates(operations, live, session.project.models())
