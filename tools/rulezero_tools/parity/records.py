"""What was seen of a schema for parity, as values."""

from dataclasses import dataclass

from rulezero_policies.operations import Operation
from rulezero_policies.rehearsal import Failed, Thing


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Everything that a live catalogue names; None for a kind of database that is not known."""

    things: tuple[Thing, ...] | None


@dataclass(frozen=True, kw_only=True)
class Built:
    """What the project's revisions make of an empty database.

    `where` names the kind of shadow, `lacks` what of the target's server is not on it. `at` is the
    catalogue at the revisions that the target is at, `head` that at the heads, `operations` what
    the models want beyond that; None where it was not reached or could not be told. `failed` is how
    it ended early, `cut` whether that was for want of time, `lost` why nothing came back at all.
    """

    where: str
    lacks: tuple[str, ...] = ()
    at: tuple[Thing, ...] | None = None
    head: tuple[Thing, ...] | None = None
    operations: tuple[Operation, ...] | None = None
    failed: Failed | None = None
    cut: bool = False
    lost: str = ""
    seconds: float = 0.0
