"""Where the project's own code still uses what goes away; nothing is read where nothing does."""

from collections.abc import Sequence

from rulezero_policies.operations import Operation
from rulezero_policies.references import References, targets
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
