"""From findings to one word: how much is at risk, and whether the revision is fit to be applied.

| findings                                                        | verdict       |
| --------------------------------------------------------------- | ------------- |
| none                                                            | SAFE          |
| a CRITICAL one that will fail, loses data or blocks             | UNSAFE        |
| anything else, what could not be understood included            | NEEDS_CHANGES |
"""

from collections.abc import Iterable

from rulezero_policies.findings import Finding, Outcome, Risk, Verdict

_UNSAFE: frozenset[Outcome] = frozenset({"will_fail", "loses_data", "blocks"})


def risk(findings: Iterable[Finding]) -> Risk:
    """The highest severity found, SAFE for none."""
    severities = {f.severity for f in findings}
    if "CRITICAL" in severities:
        return "CRITICAL"
    return "WARNING" if severities else "SAFE"


def verdict(findings: Iterable[Finding]) -> Verdict:
    """What the table above says."""
    found = tuple(findings)
    if any(f.severity == "CRITICAL" and f.outcome in _UNSAFE for f in found):
        return "UNSAFE"
    return "NEEDS_CHANGES" if found else "SAFE"
