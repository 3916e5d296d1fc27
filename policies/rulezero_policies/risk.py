"""From findings to one word: how much is at risk, and whether the revision is fit to be applied.

| findings                                                        | verdict       |
| --------------------------------------------------------------- | ------------- |
| none                                                            | SAFE          |
| a CRITICAL one that will fail, loses data or blocks             | UNSAFE        |
| anything else, what could not be understood included            | NEEDS_CHANGES |
"""

from collections.abc import Iterable, Iterator, Sequence

from rulezero_policies.findings import Finding, Outcome, Risk, Severity, Verdict

_UNSAFE: frozenset[Outcome] = frozenset({"will_fail", "loses_data", "blocks"})

_WORDS: dict[Outcome, tuple[str, str]] = {
    "will_fail": ("will fail", "will fail"),
    "loses_data": ("loses data", "lose data"),
    "blocks": ("blocks others", "block others"),
    "may_fail": ("may fail", "may fail"),
    "unknown": ("could not be understood", "could not be understood"),
    "design": ("is a matter of design", "are matters of design"),
}
"""What a finding of each outcome is said to do, of one and of several; the worst first."""

_NAMED = 4


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


def because(findings: Iterable[Finding], suppressed: int = 0) -> str:
    """The verdict with its reasons, in one sentence.

    Args:
        findings: Those that count.
        suppressed: How many more were set aside by comments.
    """
    found = tuple(findings)
    aside = f"; {suppressed} set aside by a comment" if suppressed else ""
    reasons = "; ".join(_reasons(found))
    if not reasons:
        return f"SAFE: nothing was found{aside}."
    return f"{verdict(found)} because {reasons}{aside}."


def _reasons(found: Sequence[Finding]) -> Iterator[str]:
    severities: tuple[Severity, ...] = ("CRITICAL", "WARNING")
    for severity in severities:
        for outcome, words in _WORDS.items():
            alike = [f for f in found if (f.severity, f.outcome) == (severity, outcome)]
            if alike:
                several = len(alike) > 1
                noun = f"{len(alike)} {severity} finding{'s' * several}"
                yield f"{noun} {words[several]} ({_rules(alike)})"


def _rules(findings: Sequence[Finding]) -> str:
    names = tuple(dict.fromkeys(f.rule for f in findings))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
