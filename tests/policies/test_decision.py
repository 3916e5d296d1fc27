"""Who may do what: only the one matching case goes through."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies import decision
from rulezero_policies.errors import (
    AnswerRefused,
    Declined,
    NoChannel,
    NotPresented,
    PlanExpired,
    PlanStale,
    QuestionExpired,
    TokenRefused,
)
from rulezero_policies.findings import Fact, Finding, Outcome, Question, Severity
from rulezero_policies.grant import Challenge, Grant, Level, Proof
from rulezero_policies.plan import Observed, Plan
from rulezero_policies.policy import (
    CONFIRMATIONS,
    DROP_PHRASE,
    LEVELS,
    Confirmation,
    Policy,
    reaches,
)
from rulezero_policies.renames import Rename, RenameCandidate

POLICY = Policy()
ANN = "ann@here"
NOTHING: frozenset[Confirmation] = frozenset()
SECOND = timedelta(seconds=1)


PROOF = Proof(nonce="n", person=ANN, level="secret", channel="terminal")


def finding(subject: str, severity: Severity, outcome: Outcome = "loses_data") -> Finding:
    return Finding(
        rule="drop-column",
        severity=severity,
        subject=subject,
        evidence="e",
        outcome=outcome,
        fix="f",
    )


def _grant(plan: Plan, **changed: Any) -> Grant:
    grant = Grant(
        token_hash="c" * 64,
        plan_digest=plan.digest,
        database=plan.database.label,
        principal="client-1",
        approver="a person at the client",
        channel="form elicitation",
        level="client",
        created=plan.created,
        expires=plan.created + timedelta(minutes=10),
    )
    return dataclasses.replace(grant, **changed)


def _challenge(plan: Plan, **changed: Any) -> Challenge:
    challenge = Challenge(
        nonce="n",
        plan_digest=plan.digest,
        principal="client-1",
        person=ANN,
        channel="form elicitation",
        needs="client",
        created=plan.created,
        expires=plan.created + timedelta(minutes=10),
    )
    return dataclasses.replace(challenge, **changed)


@pytest.mark.proves("C02")
def test_the_matching_grant_is_redeemed(plan: Plan, now: datetime) -> None:
    decision.redeem(plan, _grant(plan), principal="client-1", policy=POLICY, enrolled=None, now=now)


WRONG: dict[str, dict[str, Any]] = {
    "another plan": {"plan_digest": "0" * 64},
    "another database": {"database": "sqlite:/other.db (1:2)"},
    "another client": {"principal": "client-2"},
    "spent": {"spent": datetime.fromisoformat("2026-01-02T12:00:01+00:00")},
    "expired": {"expires": datetime.fromisoformat("2026-01-02T12:00:00+00:00")},
    "not yet": {"created": datetime.fromisoformat("2026-01-02T12:00:01+00:00")},
}


@pytest.mark.proves("C02", "C03")
@given(st.sets(st.sampled_from(sorted(WRONG)), min_size=1))
def test_a_grant_that_differs_in_anything_is_refused(
    plan: Plan, now: datetime, wrong: set[str]
) -> None:
    changed = {k: v for name in wrong for k, v in WRONG[name].items()}
    with pytest.raises(TokenRefused):
        decision.redeem(
            plan,
            _grant(plan, **changed),
            principal="client-1",
            policy=POLICY,
            enrolled=None,
            now=now,
        )


def test_a_grant_of_too_low_a_level_is_refused(plan: Plan, now: datetime) -> None:
    production = dataclasses.replace(plan, protected=True)
    with pytest.raises(TokenRefused, match="too low a level"):
        decision.redeem(
            production,
            _grant(production),
            principal="client-1",
            policy=POLICY,
            enrolled=None,
            now=now,
        )


@pytest.mark.parametrize("late", [timedelta(hours=1), -SECOND])
def test_a_grant_does_not_outlive_its_plan(plan: Plan, now: datetime, late: timedelta) -> None:
    grant = _grant(plan, created=now - SECOND, expires=now + timedelta(days=1))
    with pytest.raises(PlanExpired):
        decision.redeem(
            plan, grant, principal="client-1", policy=POLICY, enrolled=None, now=now + late
        )


def test_a_person_may_be_asked_about_a_living_plan(plan: Plan, now: datetime) -> None:
    decision.may_ask(plan, policy=POLICY, now=now)


def test_nobody_is_asked_about_a_dead_plan(plan: Plan) -> None:
    with pytest.raises(PlanExpired, match="2026-01-02 13:00 UTC"):
        decision.may_ask(plan, policy=POLICY, now=plan.expires)


def test_nobody_is_asked_about_a_plan_made_under_another_policy(plan: Plan, now: datetime) -> None:
    with pytest.raises(PlanStale, match="policy changed"):
        decision.may_ask(plan, policy=Policy(plan_seconds=1), now=now)


# --- how to ask ---

CHANNELS: list[tuple[Level, Level | None, bool, str | None]] = [
    ("client", None, True, "form elicitation"),
    ("client", "secret", True, "form elicitation"),
    ("client", None, False, None),
    ("client", "secret", False, "approval page"),
    ("client", "passkey", False, "approval page"),
    ("secret", None, True, None),
    ("secret", None, False, None),
    ("secret", "secret", True, "approval page"),
    ("secret", "passkey", False, "approval page"),
    ("passkey", None, True, None),
    ("passkey", "secret", True, None),
    ("passkey", "passkey", True, "approval page"),
]


@pytest.mark.proves("D04")
@pytest.mark.parametrize(("needs", "enrolled", "form", "asked"), CHANNELS)
def test_the_form_is_asked_only_where_it_is_enough(
    plan: Plan, needs: Level, enrolled: Level | None, form: bool, asked: str | None
) -> None:
    if asked is not None:
        assert decision.channel(plan, needs=needs, enrolled=enrolled, form=form) == asked
        return
    with pytest.raises(NoChannel) as refused:
        decision.channel(plan, needs=needs, enrolled=enrolled, form=form)
    how = decision.HOW_PASSKEY if enrolled else decision.HOW_ENROLL
    assert refused.value.advice == how


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"protected": True, "environment": "production"}, "production is protected and needs"),
        ({"risk": "CRITICAL"}, "development at risk CRITICAL needs"),
    ],
)
def test_without_a_way_to_ask_the_reason_is_said(
    plan: Plan, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoChannel, match=said):
        decision.channel(
            dataclasses.replace(plan, **changed), needs="secret", enrolled=None, form=True
        )


# --- what an answer is worth ---


def test_a_yes_in_time_for_this_plan_approves(plan: Plan, now: datetime) -> None:
    decision.judge_answer(plan, _challenge(plan), approve=True, typed="", ticked=NOTHING, now=now)


def test_a_no_is_declined(plan: Plan, now: datetime) -> None:
    with pytest.raises(Declined):
        decision.judge_answer(
            plan, _challenge(plan), approve=False, typed="", ticked=NOTHING, now=now
        )


@pytest.mark.parametrize("truthy", [1, "yes", "false", [True]])
def test_only_true_itself_is_a_yes(plan: Plan, now: datetime, truthy: Any) -> None:
    with pytest.raises(Declined):
        decision.judge_answer(
            plan, _challenge(plan), approve=truthy, typed="", ticked=NOTHING, now=now
        )


def test_an_answer_to_another_question_is_refused(plan: Plan, now: datetime) -> None:
    other = _challenge(plan, plan_digest="0" * 64)
    with pytest.raises(AnswerRefused, match="another question"):
        decision.judge_answer(plan, other, approve=True, typed="", ticked=NOTHING, now=now)


def test_a_late_answer_is_refused(plan: Plan) -> None:
    challenge = _challenge(plan)
    with pytest.raises(AnswerRefused, match="expired"):
        decision.judge_answer(
            plan, challenge, approve=True, typed="", ticked=NOTHING, now=challenge.expires
        )


@pytest.mark.proves("A13")
@given(st.text(max_size=20))
def test_a_drop_needs_its_words_typed(plan: Plan, now: datetime, typed: str) -> None:
    drop = dataclasses.replace(plan, phrases=(DROP_PHRASE,))
    with pytest.raises(AnswerRefused, match="yes, drop it"):
        decision.judge_answer(
            drop, _challenge(drop), approve=True, typed=typed, ticked=NOTHING, now=now
        )
    spaced = "  yes,  drop it \n"
    decision.judge_answer(
        drop, _challenge(drop), approve=True, typed=spaced, ticked=NOTHING, now=now
    )


@pytest.mark.proves("A13", "D04")
def test_on_the_page_a_critical_plan_needs_the_table_and_its_count(
    plan: Plan, now: datetime
) -> None:
    asked = Question(probe="rows", table="users")
    drop = dataclasses.replace(
        plan,
        phrases=(DROP_PHRASE,),
        findings=(finding("users.old", "CRITICAL"),),
        facts=(Fact(question="rows in users", count=12, asked=asked),),
    )
    question = _challenge(drop, channel="approval page", needs="secret")

    def answer(typed: str) -> None:
        decision.judge_answer(
            drop, question, approve=True, typed=typed, ticked=NOTHING, now=now, proof=PROOF
        )

    answer(" users  12 ")
    for typed in ("", "users", "users 13", DROP_PHRASE):
        with pytest.raises(AnswerRefused, match="users 12"):
            answer(typed)


@pytest.mark.proves("D04", "C03")
@pytest.mark.parametrize("needs", LEVELS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_proof_must_reach_what_the_question_needs(
    plan: Plan, now: datetime, needs: Level, level: Level
) -> None:
    question = _challenge(plan, channel="approval page", needs=needs)
    proof = dataclasses.replace(PROOF, level=level)
    # A proof of level "client" is none: only a form has that level.
    if level != "client" and reaches(level, needs):
        approve(plan, question, now, proof)
        return
    with pytest.raises(AnswerRefused, match="needs level"):
        approve(plan, question, now, proof)


@pytest.mark.proves("C03")
@pytest.mark.parametrize("other", [{"nonce": "another"}, {"person": "bob@here"}])
def test_a_proof_for_another_question_or_person_proves_nothing(
    plan: Plan, now: datetime, other: dict[str, str]
) -> None:
    question = _challenge(plan, channel="approval page", needs="client")
    with pytest.raises(AnswerRefused, match="needs level"):
        approve(plan, question, now, dataclasses.replace(PROOF, **other))


@pytest.mark.proves("C03")
@pytest.mark.parametrize(
    "asked", [{"needs": "secret"}, {"channel": "approval page"}, {"channel": "terminal"}]
)
def test_a_form_answers_only_what_was_asked_by_a_form(
    plan: Plan, now: datetime, asked: dict[str, str]
) -> None:
    with pytest.raises(AnswerRefused, match="needs level"):
        approve(plan, _challenge(plan, **asked), now, None)


def approve(plan: Plan, question: Challenge, now: datetime, proof: Proof | None) -> None:
    decision.judge_answer(
        plan, question, approve=True, typed="", ticked=NOTHING, now=now, proof=proof
    )


@pytest.mark.proves("D07", "C02")
def test_a_yes_says_of_each_rename_whether_it_is_one(plan: Plan, now: datetime) -> None:
    found = tuple(
        RenameCandidate(
            rename=Rename(kind="column", table="users", old=old, new=f"new_{old}"),
            score=90,
            evidence=(),
        )
        for old in ("mail", "name")
    )
    asked = dataclasses.replace(plan, kind="generate", renames=found)

    def judged(decided: dict[str, bool] | None) -> tuple[str, ...]:
        return decision.judge_answer(
            asked,
            _challenge(asked),
            approve=True,
            typed="",
            ticked=frozenset(CONFIRMATIONS),
            now=now,
            decided=decided,
        )

    assert judged({"rename_1": False, "rename_2": True}) == ("users.name -> new_name",)
    for lacking in (None, {}, {"rename_1": True}):
        with pytest.raises(AnswerRefused, match="does not say whether"):
            judged(lacking)


def test_an_answer_before_its_question_is_refused(plan: Plan, now: datetime) -> None:
    question = _challenge(plan, created=now + SECOND)
    with pytest.raises(AnswerRefused, match="expired"):
        approve(plan, question, now, None)


@pytest.mark.proves("A09")
@pytest.mark.parametrize("drops", [True, False])
def test_a_revision_is_written_only_with_everything_ticked(
    plan: Plan, now: datetime, drops: bool
) -> None:
    found = (finding("users.old", "CRITICAL", "loses_data" if drops else "may_fail"),)
    stop = dataclasses.replace(plan, kind="generate", findings=found)
    needed: set[Confirmation] = {"backed_up", "no_code_references"} if drops else {"backed_up"}

    def answer(ticked: set[Confirmation]) -> None:
        decision.judge_answer(
            stop,
            _challenge(stop),
            approve=True,
            typed="",
            ticked=frozenset(ticked),
            now=now,
        )

    answer(needed)
    for missing in needed:
        with pytest.raises(AnswerRefused, match=r"backup|code"):
            answer(needed - {missing})


def test_what_got_no_yes_is_told_apart(plan: Plan) -> None:
    question = _challenge(plan)
    assert isinstance(decision.unanswered(plan, question, "declined"), Declined)
    assert isinstance(decision.unanswered(plan, question, "not presented"), NotPresented)
    expired = decision.unanswered(plan, question, "expired")
    assert isinstance(expired, QuestionExpired)
    assert "2026-01-02 12:10 UTC" in str(expired)


def test_a_question_that_was_never_shown_is_not_one_that_was_let_expire(
    plan: Plan, now: datetime
) -> None:
    assert decision.run_out(_challenge(plan)) == "not presented"
    assert decision.run_out(_challenge(plan, shown=now)) == "expired"


# --- wrong PINs ---

ATTEMPTS = st.integers(1, 10)
SECONDS = st.integers(1, 100_000)
POLICIES = st.builds(Policy, pin_attempts=ATTEMPTS, lock_seconds=SECONDS)


def test_nothing_is_locked_before_enough_failures(now: datetime) -> None:
    def until(failures: int, last: datetime | None = now) -> datetime | None:
        return decision.locked_until(failures=failures, last=last, policy=POLICY, now=now)

    assert [until(n) for n in range(5)] == [None] * 5
    assert until(5) == now + timedelta(minutes=15)
    assert until(6) == now + timedelta(minutes=30)
    assert until(50) == now + decision.LONGEST_LOCK
    assert until(5, last=None) is None


@given(POLICIES, st.integers(0, 100))
def test_a_lock_ends(now: datetime, policy: Policy, failures: int) -> None:
    until = decision.locked_until(failures=failures, last=now, policy=policy, now=now)
    if until is not None:
        later = decision.locked_until(failures=failures, last=now, policy=policy, now=until)
        assert later is None


@pytest.mark.proves("C03")
@given(POLICIES, POLICIES, st.integers(0, 100))
def test_a_project_that_tightens_the_numbers_never_unlocks(
    now: datetime, mine: Policy, theirs: Policy, failures: int
) -> None:
    def until(policy: Policy) -> datetime:
        found = decision.locked_until(failures=failures, last=now, policy=policy, now=now)
        return found or now

    assert until(mine.tightened(theirs)) >= until(mine)


# --- what stands there ---


def test_what_stands_there_has_to_be_what_was_approved(plan: Plan) -> None:
    seen = Observed(
        database=plan.database,
        current=plan.from_revisions,
        files=plan.files,
        fingerprint=plan.fingerprint,
        facts=plan.facts,
        policy=plan.policy,
    )
    decision.still_fits(plan, seen)
    with pytest.raises(PlanStale, match="schema changed"):
        decision.still_fits(plan, dataclasses.replace(seen, fingerprint="0"))


def test_a_permit_names_the_grant_that_was_spent(plan: Plan, now: datetime) -> None:
    permit = decision.permit(_grant(plan), spent=now)
    assert (permit.plan_digest, permit.token_hash, permit.spent) == (plan.digest, "c" * 64, now)
