"""Everything that one comparison of production with the rest has seen."""

from dataclasses import dataclass

from rulezero_policies.parity.consolidation import Consolidation
from rulezero_policies.parity.flags import FlagView
from rulezero_policies.parity.gap import Gap
from rulezero_policies.parity.safety import Safety
from rulezero_policies.parity.schema import SchemaGap
from rulezero_policies.parity.values import Layout
from rulezero_tools.parity.smoke import SmokeResult
from rulezero_tools.parity.stores import StoreCheck


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was seen of services and environments; a value of a key is nowhere in it.

    `schema` is None where nothing is known of production's database, and `no_schema` says why.
    `not_run` says why smoke tests and exercises did not run, "" where they did or none is declared.
    """

    layout: Layout
    gap: Gap
    consolidation: Consolidation
    flags: tuple[FlagView, ...] = ()
    schema: SchemaGap | None = None
    no_schema: str = ""
    safety: tuple[Safety, ...] = ()
    stores: tuple[StoreCheck, ...] = ()
    smoke: tuple[SmokeResult, ...] = ()
    not_run: str = ""
