"""What goes away: where the code still uses it, and whether it only gets another name."""

from collections.abc import Sequence
from dataclasses import dataclass

from rulezero_policies import fitting
from rulezero_policies.findings import Fact
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


@dataclass(frozen=True, kw_only=True)
class Renames:
    """The candidates, and everything that is counted by now, for them and before."""

    candidates: tuple[RenameCandidate, ...]
    facts: tuple[Fact, ...]


def renames(
    session: Session,
    operations: Sequence[Operation],
    *,
    facts: tuple[Fact, ...] = (),
    named: Sequence[str] = (),
) -> Renames:
    """The drops and adds that may be renames; the project is read only where there are both.

    Args:
        session: The project.
        operations: What autogenerate proposes.
        facts: What was counted of it before.
        named: Ids that are candidates whatever their score is, where there is such a pair.

    Raises:
        ProjectError: The project's classes cannot be read.
    """
    first = candidates(operations, named=named)
    if not first:
        return Renames(candidates=(), facts=facts)
    places: list[Place] = [(o.schema, o.table or "") for o in operations if o.kind == "drop_column"]
    live = session.project.columns(places) if places else ()
    columns = [c.rename for c in first if c.rename.kind == "column"]
    pairs = [((r.schema, r.table), r.old, r.new) for r in columns]
    known = {fact.asked for fact in facts}
    asked = [q for q in fitting.questions(pairs, operations) if q not in known]
    counted = (*facts, *(session.project.probe(asked) if asked else ()))
    models = session.project.models()
    found = candidates(operations, live, models, facts=counted, named=named)
    return Renames(candidates=found, facts=counted)
