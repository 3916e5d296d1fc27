"""What a plan needs before it may run."""

import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.findings import Fact, Finding, Question, Risk, Severity
from rulezero_policies.grant import Level
from rulezero_policies.plan import Plan
from rulezero_policies.policy import (
    CONFIRMATIONS,
    DROP_PHRASE,
    LEVELS,
    LOCAL,
    PROTECTED,
    Confirmation,
    Need,
    Needs,
    Policy,
    confirmations,
    is_protected,
    need,
    phrases,
    reaches,
    to_type,
)
from rulezero_policies.renames import Rename, RenameCandidate


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


OTHER: dict[str, object] = {
    "local": PROTECTED,
    "protected": LOCAL,
    "protected_environments": ("production",),
}


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Policy)])
def test_the_digest_names_every_part_of_the_policy(name: str) -> None:
    changed = dataclasses.replace(Policy(), **{name: OTHER.get(name, 1)})
    assert changed.digest != Policy().digest


# --- which level ---

ENROLLED: tuple[Level | None, ...] = (None, "secret", "passkey")

DEFAULTS: list[tuple[bool, Risk, tuple[Level, Level, Level]]] = [
    (False, "SAFE", ("client", "client", "client")),
    (False, "WARNING", ("client", "secret", "secret")),
    (False, "CRITICAL", ("client", "secret", "secret")),
    (True, "SAFE", ("secret", "secret", "secret")),
    (True, "WARNING", ("secret", "secret", "secret")),
    (True, "CRITICAL", ("secret", "secret", "passkey")),
]


@pytest.mark.proves("D04")
@pytest.mark.parametrize(("protected", "risk", "levels"), DEFAULTS)
def test_what_is_needed_by_default(
    plan: Plan, protected: bool, risk: Risk, levels: tuple[Level, Level, Level]
) -> None:
    asked = dataclasses.replace(plan, protected=protected, risk=risk)
    assert tuple(Policy().needed(asked, e) for e in ENROLLED) == levels


def test_writing_a_draft_needs_what_a_safe_plan_needs(plan: Plan) -> None:
    draft = dataclasses.replace(plan, kind="generate", risk="CRITICAL")
    assert Policy().needed(draft, "passkey") == "client"
    assert Policy().needed(dataclasses.replace(draft, protected=True), "passkey") == "secret"


def test_a_need_is_said_as_a_policy_file_says_it() -> None:
    assert [need("client").words, need("client", "secret").words] == [
        "client",
        "secret if enrolled",
    ]
    assert need("secret", "client") == need("secret")


# --- tightening ---

NEED = st.builds(need, st.sampled_from(LEVELS), st.sampled_from(LEVELS))
NEEDS = st.builds(Needs, safe=NEED, warning=NEED, critical=NEED)
POLICIES = st.builds(
    Policy,
    plan_seconds=st.integers(1, 9),
    question_seconds=st.integers(1, 9),
    grant_seconds=st.integers(1, 9),
    pin_attempts=st.integers(1, 9),
    lock_seconds=st.integers(1, 9),
    local=NEEDS,
    protected=NEEDS,
    protected_environments=st.sets(st.sampled_from("abc")).map(lambda s: tuple(sorted(s))),
)
RISKS = st.sampled_from(get_args(Risk))


@given(POLICIES, POLICIES, POLICIES)
def test_tightening_does_not_depend_on_the_order(one: Policy, two: Policy, three: Policy) -> None:
    assert one.tightened(two) == two.tightened(one)
    assert one.tightened(two).tightened(three) == one.tightened(two.tightened(three))
    assert one.tightened(one) == one


@pytest.mark.proves("D04")
@given(POLICIES, POLICIES, st.booleans(), RISKS, st.sampled_from(ENROLLED))
def test_what_is_tightened_never_asks_for_less(
    plan: Plan, one: Policy, two: Policy, protected: bool, risk: Risk, enrolled: Level | None
) -> None:
    strict = one.tightened(two)
    asked = dataclasses.replace(plan, protected=protected, risk=risk)
    assert reaches(strict.needed(asked, enrolled), one.needed(asked, enrolled))
    assert strict.plan_life <= one.plan_life
    assert strict.question_life <= one.question_life
    assert strict.grant_life <= one.grant_life
    assert set(strict.protected_environments) >= set(one.protected_environments)
    assert one.loosened_by(strict) == ()


@given(POLICIES, POLICIES)
def test_what_asks_for_less_is_named(one: Policy, two: Policy) -> None:
    named = one.loosened_by(two)
    assert (named == ()) == (one.tightened(two) == two)
    for name in named:
        assert getattr(one, name) != getattr(two, name)


@given(st.builds(need, st.sampled_from(LEVELS), st.sampled_from(LEVELS)))
def test_who_enrolled_more_is_never_asked_for_less(needed: Need) -> None:
    levels = [needed.given(enrolled) for enrolled in ENROLLED]
    assert levels == sorted(levels, key=LEVELS.index)
    assert levels[0] == needed.least


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


# --- what a person types and ticks ---


def _critical(plan: Plan, *subjects: str, counts: dict[str, int | None] | None = None) -> Plan:
    facts = tuple(
        Fact(question=f"rows in {table}", count=count, asked=Question(probe="rows", table=table))
        for table, count in (counts or {}).items()
    )
    findings = tuple(
        dataclasses.replace(_finding("drop-column", "CRITICAL"), subject=s) for s in subjects
    )
    return dataclasses.replace(plan, findings=findings, facts=facts)


@pytest.mark.parametrize(
    ("subjects", "counts", "typed"),
    [
        (("users.old",), {"users": 12}, "users 12"),
        (("users.old", "tasks"), {"users": 12, "tasks": 40, "other": 99}, "tasks 40"),
        (("index on users",), {"users": 12}, "users 12"),
        (("users.old",), {"users": 0}, "users 0"),
        (("users.old",), {"users": None}, "users.old"),
        (("users.old",), {"other": 5}, "users.old"),
        (("a step that cannot be read",), {}, "b2"),
    ],
)
def test_a_critical_plan_is_approved_by_typing_what_it_hits(
    plan: Plan, subjects: tuple[str, ...], counts: dict[str, int | None], typed: str
) -> None:
    assert to_type(_critical(plan, *subjects, counts=counts)) == typed


def test_nothing_is_typed_for_a_draft_or_without_anything_critical(plan: Plan) -> None:
    critical = _critical(plan, "users.old", counts={"users": 12})
    assert to_type(dataclasses.replace(critical, kind="generate")) is None
    assert to_type(plan) is None


@pytest.mark.proves("A09")
def test_what_is_ticked_before_a_draft_is_written(plan: Plan) -> None:
    draft = dataclasses.replace(_critical(plan, "users.old"), kind="generate")
    assert confirmations(draft) == ("backed_up", "no_code_references")
    assert confirmations(dataclasses.replace(draft, findings=())) == ("backed_up",)
    assert confirmations(plan) == ()
    alike = dataclasses.replace(draft.findings[0], rule="rename-as-drop-add")
    looks = dataclasses.replace(draft, findings=(*draft.findings, alike))
    assert "meant_as_drops" in confirmations(looks)
    rename = Rename(kind="column", table="users", old="old", new="new")
    candidate = RenameCandidate(rename=rename, score=90, evidence=())
    assert "meant_as_drops" not in confirmations(dataclasses.replace(looks, renames=(candidate,)))
    assert set(CONFIRMATIONS) == set(get_args(Confirmation))
