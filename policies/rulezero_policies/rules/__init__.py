"""Every rule, registered in one place, and the review that runs them all."""

from rulezero_policies.findings import Finding
from rulezero_policies.rules.rule import Hit, Rule
from rulezero_policies.scene import Scene

__all__ = ["RULES", "Hit", "Rule", "review"]

RULES: tuple[Rule, ...] = ()


def review(scene: Scene) -> tuple[Finding, ...]:
    """Everything the rules find in `scene`, CRITICAL first."""
    found = dict.fromkeys(f for rule in RULES for f in rule.findings(scene))
    return tuple(sorted(found, key=lambda f: f.severity != "CRITICAL"))
