"""What the rules about locks share: how large the table is, in words and in severity."""

from collections.abc import Mapping

from rulezero_policies.findings import Probe, Severity
from rulezero_policies.locks.held import is_big, size_words
from rulezero_policies.rules.rule import Hit
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

LARGE: Mapping[Probe, tuple[int, tuple[str, ...]]] = {"size": (5_000_000, ())}
"""What the live database says where the bad examples are bad."""

MEASURED = "measured on PostgreSQL 12 to 18: pg_locks before the commit, relfilenode for rewrites"
MEASURED_MARIADB = "measured on MariaDB 10.11: the best ALGORITHM and LOCK that it accepts"

TIMEOUT = "op.execute(\"SET lock_timeout = '2s'\")\n"


def held_hit(
    scene: Scene,
    step: Step,
    evidence: str,
    *,
    big: Severity = "WARNING",
    names: Mapping[str, str] | None = None,
) -> Hit:
    """A hit that says how large the table is.

    Args:
        scene: Where the facts are.
        step: What locks.
        evidence: What was seen.
        big: The severity where the table is known to be big.
        names: What the fix is filled with beside the table.
    """
    operation = step.operation
    return Hit(
        subject=operation.subject,
        evidence=f"{evidence}; {size_words(scene, step)}",
        line=operation.line,
        severity=big if is_big(scene, step) else None,
        names={"table": operation.qualified, **(names or {})},
    )
