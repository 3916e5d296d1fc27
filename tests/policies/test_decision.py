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
    TokenRefused,
)
from rulezero_policies.grant import Challenge, Grant
from rulezero_policies.plan import Observed, Plan
from rulezero_policies.policy import DROP_PHRASE, Policy

POLICY = Policy()
SECOND = timedelta(seconds=1)


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
        channel="form elicitation",
        created=plan.created,
        expires=plan.created + timedelta(minutes=10),
    )
    return dataclasses.replace(challenge, **changed)


@pytest.mark.proves("C02")
def test_the_matching_grant_is_redeemed(plan: Plan, now: datetime) -> None:
    decision.redeem(plan, _grant(plan), principal="client-1", policy=POLICY, now=now)


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
        decision.redeem(plan, _grant(plan, **changed), principal="client-1", policy=POLICY, now=now)


def test_a_grant_of_too_low_a_level_is_refused(plan: Plan, now: datetime) -> None:
    production = dataclasses.replace(plan, protected=True)
    with pytest.raises(TokenRefused, match="too low a level"):
        decision.redeem(
            production, _grant(production), principal="client-1", policy=POLICY, now=now
        )


@pytest.mark.parametrize("late", [timedelta(hours=1), -SECOND])
def test_a_grant_does_not_outlive_its_plan(plan: Plan, now: datetime, late: timedelta) -> None:
    grant = _grant(plan, created=now - SECOND, expires=now + timedelta(days=1))
    with pytest.raises(PlanExpired):
        decision.redeem(plan, grant, principal="client-1", policy=POLICY, now=now + late)


def test_a_person_may_be_asked_about_a_living_plan(plan: Plan, now: datetime) -> None:
    decision.may_ask(plan, policy=POLICY, level="client", now=now)


def test_nobody_is_asked_about_a_dead_plan(plan: Plan) -> None:
    with pytest.raises(PlanExpired, match="2026-01-02 13:00 UTC"):
        decision.may_ask(plan, policy=POLICY, level="client", now=plan.expires)


def test_nobody_is_asked_about_a_plan_made_under_another_policy(plan: Plan, now: datetime) -> None:
    with pytest.raises(PlanStale, match="policy changed"):
        decision.may_ask(plan, policy=Policy(plan_seconds=1), level="client", now=now)


@pytest.mark.proves("D04")
def test_a_protected_environment_is_not_asked_through_a_client_alone(
    plan: Plan, now: datetime
) -> None:
    production = dataclasses.replace(plan, protected=True, environment="production")
    with pytest.raises(NoChannel, match="production is protected") as refused:
        decision.may_ask(production, policy=POLICY, level="client", now=now)
    assert refused.value.advice == decision.HOW_PROTECTED
    decision.may_ask(production, policy=POLICY, level="secret", now=now)


def test_a_yes_in_time_for_this_plan_approves(plan: Plan, now: datetime) -> None:
    decision.judge_answer(plan, _challenge(plan), approve=True, typed="", now=now)


def test_a_no_is_declined(plan: Plan, now: datetime) -> None:
    with pytest.raises(Declined):
        decision.judge_answer(plan, _challenge(plan), approve=False, typed="", now=now)


@pytest.mark.parametrize("truthy", [1, "yes", "false", [True]])
def test_only_true_itself_is_a_yes(plan: Plan, now: datetime, truthy: Any) -> None:
    with pytest.raises(Declined):
        decision.judge_answer(plan, _challenge(plan), approve=truthy, typed="", now=now)


def test_an_answer_to_another_question_is_refused(plan: Plan, now: datetime) -> None:
    other = _challenge(plan, plan_digest="0" * 64)
    with pytest.raises(AnswerRefused, match="another question"):
        decision.judge_answer(plan, other, approve=True, typed="", now=now)


def test_a_late_answer_is_refused(plan: Plan) -> None:
    challenge = _challenge(plan)
    with pytest.raises(AnswerRefused, match="expired"):
        decision.judge_answer(plan, challenge, approve=True, typed="", now=challenge.expires)


@pytest.mark.proves("A13")
@given(st.text(max_size=20))
def test_a_drop_needs_its_words_typed(plan: Plan, now: datetime, typed: str) -> None:
    drop = dataclasses.replace(plan, phrases=(DROP_PHRASE,))
    with pytest.raises(AnswerRefused, match="yes, drop it"):
        decision.judge_answer(drop, _challenge(drop), approve=True, typed=typed, now=now)
    spaced = "  yes,  drop it \n"
    decision.judge_answer(drop, _challenge(drop), approve=True, typed=spaced, now=now)


def test_declined_and_never_shown_are_told_apart(plan: Plan) -> None:
    assert isinstance(decision.unanswered(plan, "declined"), Declined)
    assert isinstance(decision.unanswered(plan, "not presented"), NotPresented)


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
