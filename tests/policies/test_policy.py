"""What a plan needs before it may run."""

import dataclasses
from typing import get_args

import pytest

from rulezero_policies.findings import Finding, Severity
from rulezero_policies.grant import Level
from rulezero_policies.policy import DROP_PHRASE, LEVELS, Policy, is_protected, phrases, reaches


def _finding(rule: str, severity: Severity) -> Finding:
    return Finding(
        rule=rule, severity=severity, subject="t", evidence="e", outcome="loses_data", fix="f"
    )


def test_levels_are_ordered_and_complete() -> None:
    assert get_args(Level) == LEVELS
    reached = [(one, other) for one in LEVELS for other in LEVELS if reaches(one, other)]
    assert reached == [
        ("client", "client"),
        ("secret", "client"),
        ("secret", "secret"),
        ("passkey", "client"),
        ("passkey", "secret"),
        ("passkey", "passkey"),
    ]


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Policy)])
def test_the_digest_names_every_part_of_the_policy(name: str) -> None:
    value = "passkey" if name.endswith("level") else 1
    assert dataclasses.replace(Policy(), **{name: value}).digest != Policy().digest


def test_a_protected_environment_needs_more_than_a_client() -> None:
    assert Policy().needed(protected=False) == "client"
    assert Policy().needed(protected=True) == "secret"


def test_lives_are_seconds() -> None:
    policy = Policy(plan_seconds=1, question_seconds=2, grant_seconds=3)
    lives = (policy.plan_life, policy.question_life, policy.grant_life)
    assert [life.total_seconds() for life in lives] == [1, 2, 3]


@pytest.mark.parametrize("host", [None, "", "localhost", "127.0.0.1", "::1", "/run/postgresql"])
def test_a_database_on_this_machine_is_not_protected_unless_marked(host: str | None) -> None:
    assert not is_protected(marked=False, host=host)
    assert is_protected(marked=True, host=host)


@pytest.mark.parametrize(
    "host", ["db.example", "10.0.0.5", "localhost.example", "/tmp,db.example", "localhost,db"]
)
def test_a_database_elsewhere_is_protected(host: str) -> None:
    assert is_protected(marked=False, host=host)


@pytest.mark.proves("A13")
@pytest.mark.parametrize("rule", ["drop-column", "drop-table", "drop-cascade", "truncate"])
def test_a_critical_drop_needs_the_typed_words(rule: str) -> None:
    assert phrases((_finding(rule, "CRITICAL"),)) == (DROP_PHRASE,)
    assert DROP_PHRASE == "yes, drop it"


@pytest.mark.parametrize(
    ("rule", "severity"), [("drop-column", "WARNING"), ("type-change", "CRITICAL")]
)
def test_nothing_is_typed_where_no_data_is_dropped(rule: str, severity: Severity) -> None:
    assert phrases((_finding(rule, severity),)) == ()
