"""What a comment may set aside, and what it may not."""

from dataclasses import replace

import pytest

from rulezero_policies import risk
from rulezero_policies.findings import Finding, Outcome
from rulezero_policies.suppression import Ignore, suppress, told

FOUND = Finding(
    rule="drop-index",
    severity="WARNING",
    subject="tasks",
    evidence="index ix is dropped",
    outcome="design",
    fix="keep it",
    line=12,
)
BECAUSE = Ignore(rule="drop-index", reason="unused since 2.1", first=11, last=13)


def test_a_warning_is_set_aside_with_its_reason() -> None:
    kept, (aside,) = suppress([FOUND], [BECAUSE])
    assert kept == ()
    assert "drop-index at line 12" in told(aside)
    assert told(aside).endswith("The reason given: unused since 2.1")


@pytest.mark.parametrize(
    ("finding", "ignore", "said"),
    [
        (replace(FOUND, severity="CRITICAL"), BECAUSE, "what is CRITICAL cannot be ignored"),
        (replace(FOUND, outcome="unknown"), BECAUSE, "not understood cannot be ignored"),
        (FOUND, replace(BECAUSE, reason="  "), "without a reason, so it does not count"),
    ],
)
def test_what_may_not_be_set_aside_stays_and_says_so(
    finding: Finding, ignore: Ignore, said: str
) -> None:
    (kept,), aside = suppress([finding], [ignore])
    assert kept.evidence.startswith(finding.evidence)
    assert kept.evidence.endswith(said)
    assert aside == ()


@pytest.mark.parametrize(
    "ignore",
    [replace(BECAUSE, rule="drop-table"), replace(BECAUSE, first=13), replace(BECAUSE, last=11)],
)
def test_a_comment_elsewhere_or_on_another_rule_is_none(ignore: Ignore) -> None:
    assert suppress([FOUND], [ignore]) == ((FOUND,), ())


def test_a_finding_without_a_line_cannot_be_set_aside() -> None:
    found = replace(FOUND, line=None)
    assert suppress([found], [BECAUSE]) == ((found,), ())


def test_a_reason_hides_nothing() -> None:
    _, (aside,) = suppress([FOUND], [replace(BECAUSE, reason="a\u202eb password=s3cret")])
    assert aside.reason == "a<U+202E>b password=***"


@pytest.mark.parametrize(
    ("severity", "outcome", "count", "sentence"),
    [
        (
            "CRITICAL",
            "will_fail",
            1,
            "UNSAFE because 1 CRITICAL finding will fail (drop-index).",
        ),
        (
            "WARNING",
            "design",
            2,
            "NEEDS_CHANGES because 2 WARNING findings are matters of design (drop-index).",
        ),
    ],
)
def test_the_verdict_gives_its_reasons(
    severity: str, outcome: Outcome, count: int, sentence: str
) -> None:
    found = replace(FOUND, severity=severity, outcome=outcome)  # type: ignore[arg-type]
    assert risk.because([found] * count) == sentence


def test_the_worst_comes_first_and_many_rules_are_counted() -> None:
    many = [replace(FOUND, rule=f"r{n}") for n in range(6)]
    lost = replace(FOUND, severity="CRITICAL", outcome="loses_data")
    assert risk.because([*many, lost], suppressed=1) == (
        "UNSAFE because 1 CRITICAL finding loses data (drop-index); 6 WARNING findings are matters "
        "of design (r0, r1, r2, r3 and 2 more); 1 set aside by a comment."
    )


def test_nothing_found_is_said_to_be_safe() -> None:
    assert risk.because([]) == "SAFE: nothing was found."
    assert risk.because([], suppressed=2) == "SAFE: nothing was found; 2 set aside by a comment."
