"""Findings that a line comment sets aside: `# rulezero: ignore[rule] reason`.

A comment is written by whoever wrote the revision, an assistant included. It takes a WARNING out of
the verdict, never out of sight: what is set aside is shown to the person who approves and counts
for how surely that person must be known. What is CRITICAL, or could not be understood, stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rulezero_policies.findings import Finding
from rulezero_policies.text import scrub, visible


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A comment: the rule it names, the reason it gives, and the lines of the step it is about."""

    rule: str
    reason: str
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """A finding that was set aside, and why."""

    finding: Finding
    reason: str


def suppress(
    findings: Iterable[Finding], ignores: Iterable[Ignore]
) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    """The findings that stand, and those that are set aside.

    One that may not be set aside, or only names no reason, stands and says so.
    """
    known = tuple(ignores)
    kept, aside = list[Finding](), list[Suppressed]()
    for finding in findings:
        ignore = next((i for i in known if _is_about(i, finding)), None)
        objection = _objection(finding, ignore) if ignore else ""
        if ignore is None or objection:
            evidence = f"{finding.evidence}; {objection}" if objection else finding.evidence
            kept.append(replace(finding, evidence=evidence))
        else:
            reason = visible(scrub(" ".join(ignore.reason.split())), limit=300)
            aside.append(Suppressed(finding=finding, reason=reason))
    return tuple(kept), tuple(aside)


def _is_about(ignore: Ignore, finding: Finding) -> bool:
    line = finding.line
    return ignore.rule == finding.rule and line is not None and ignore.first <= line <= ignore.last


def _objection(finding: Finding, ignore: Ignore) -> str:
    if finding.severity == "CRITICAL":
        return "a comment asks to ignore it, and what is CRITICAL cannot be ignored"
    if finding.outcome == "unknown":
        return "a comment asks to ignore it, and what is not understood cannot be ignored"
    if not ignore.reason.strip():
        return "a comment asks to ignore it without a reason, so it does not count"
    return ""


def told(aside: Suppressed) -> str:
    """What was set aside, in a line for the person who approves."""
    finding = aside.finding
    return (
        f"Suppressed by a comment in the revision: {finding.rule} at line {finding.line} "
        f"({finding.subject}: {finding.evidence}). The reason given: {aside.reason}"
    )
