"""What a smoke test says, and when it fails parity."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rulezero_policies.parity.values import SmokeRule
from rulezero_tools.parity.smoke import SmokeResult, smoked

pytestmark = pytest.mark.proves("B10")


def result(**more: Any) -> SmokeResult:
    given: dict[str, Any] = {"outcome": "failed", "seen": "status 404", **more}
    return SmokeResult(name="notes", service="api", kind="route", target="/notes", **given)


class Fake:
    def __init__(self) -> None:
        self.overrides: list[Mapping[str, str]] = []

    def run(
        self, rules: Sequence[SmokeRule], overrides: Mapping[str, str]
    ) -> tuple[SmokeResult, ...]:
        self.overrides.append(overrides)
        return tuple(result() for _ in rules)


def test_without_a_declared_test_nothing_is_started() -> None:
    tests = Fake()
    assert smoked(tests, ()) == ()
    assert tests.overrides == []


def test_tests_are_run_with_the_keys_as_they_are_proposed() -> None:
    tests = Fake()
    rule = SmokeRule(name="notes", service="api", kind="route", target="/notes")
    assert len(smoked(tests, (rule, rule), {"FEATURE_NOTES": "true"})) == 2
    smoked(tests, (rule,))
    assert tests.overrides == [{"FEATURE_NOTES": "true"}, {}]


def test_what_passed_is_no_reason_and_what_was_not_run_is_one() -> None:
    assert result(outcome="passed").reason is None
    said = result(outcome="not_run", seen="no shadow").reason
    assert said == "smoke test notes (api, /notes) was not run: no shadow"


def test_a_failure_says_what_was_raised_and_which_key_is_missing() -> None:
    told = result(
        error="KeyError", file="app.py", line=3, missing=("NOTES_KEY",), stand_ins=("SECRET_KEY",)
    )
    assert told.told == "status 404; KeyError (app.py, line 3); it asked for NOTES_KEY, not set"


def test_a_failure_that_a_stand_in_may_have_caused_says_so() -> None:
    told = result(error="ValueError", blamed=("SECRET_KEY",), stand_ins=("SECRET_KEY",))
    assert told.told == (
        "status 404; ValueError; the error names SECRET_KEY; "
        "the cause may be a stand-in that replaced the value of SECRET_KEY"
    )
    assert "kept from: program ls" in result(refused=("program ls",)).told
