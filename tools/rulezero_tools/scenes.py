"""A trace as the rules look at it."""

from rulezero_policies.findings import Fact
from rulezero_policies.operations import Operation
from rulezero_policies.scene import Flaw, Scene
from rulezero_tools.records import Database, Trace


def scene_of(
    database: Database,
    trace: Trace,
    earlier: tuple[Operation, ...],
    facts: tuple[Fact, ...],
    flaws: tuple[Flaw, ...] = (),
) -> Scene:
    """A trace as the rules look at it."""
    return Scene(
        dialect=database.identity.dialect,
        version=database.numbers,
        stage="revision",
        revision=trace.revision,
        upgrade=trace.upgrade,
        downgrade=trace.downgrade,
        earlier=earlier,
        upgrade_error=trace.upgrade_error,
        downgrade_error=trace.downgrade_error,
        has_upgrade=trace.tree.has_upgrade,
        has_downgrade=trace.tree.has_downgrade,
        downgrade_is_empty=trace.tree.downgrade_is_empty,
        downgrade_line=trace.tree.downgrade_line,
        app_imports=trace.tree.app_imports,
        own_transaction=trace.own_transaction,
        facts=facts,
        flaws=tuple(f for f in flaws if f.revision == trace.revision),
    )
