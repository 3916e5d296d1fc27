"""A rename is written only where a person confirmed exactly that rename."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused, UnknownRename
from rulezero_policies.grant import Challenge, Channel, Proof
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.plan import Plan
from rulezero_policies.policy import CONFIRMATIONS, confirmations
from rulezero_policies.references import ModelClass, SourceFile, Sources
from rulezero_policies.renames import BAR, Rename
from rulezero_server.forms import form_for, schema_of
from rulezero_tools import answering, asking, enrolment
from rulezero_tools.analyze import analyze
from rulezero_tools.answering import Waiting
from rulezero_tools.asking import FormAnswer, question_text
from rulezero_tools.generate import generate
from rulezero_tools.ports import PinHasher, Session
from rulezero_tools.results import ConfirmResult, GenerateResult

OLD, NEW = Column(name="code", type="VARCHAR(20)"), Column(name="short_code", type="VARCHAR(20)")
DROP_AND_ADD = (
    Operation(kind="add_column", table="tasks", column=NEW),
    Operation(kind="drop_column", table="tasks", column=OLD),
)
RENAMED = Operation(
    kind="alter_column",
    table="tasks",
    column=OLD,
    changes=(Change(attribute="name", before="code", after="short_code"),),
)
ID = "tasks.code -> short_code"
PAGE: Channel = "approval page"
RENAME = Rename(kind="column", table="tasks", old="code", new="short_code")


@pytest.fixture
def renaming(session: Session, project: Any) -> Session:
    """A project whose models call a column by another name, and whose code does not yet."""
    project.wanted = DROP_AND_ADD
    project.rewritten = (RENAMED,)
    project.classes = (ModelClass(name="Task", table="tasks"),)
    project.code = Sources(files=(SourceFile(path="app.py", text="Task.code\n"),))
    return session


def plan_of(session: Session, made: Any) -> Any:
    plan = session.store.plan(made.plan_id)
    assert plan is not None
    return plan


def test_analyze_proposes_the_rename_and_writes_none(renaming: Session, project: Any) -> None:
    found = analyze(renaming)
    assert [(c.id, c.ambiguous) for c in found.rename_candidates] == [(ID, False)]
    assert [(r.place, r.confidence) for r in found.references] == [("app.py:1", "certain")]
    assert "still used in 1 place: app.py:1" in str(found.breaking)
    assert project.revisions == {}


YES, NO = {"rename_1": True}, {"rename_1": False}


def stopped(session: Session, **more: Any) -> Plan:
    """What `generate` has a person asked about."""
    made = generate(session, analysis_id=analyze(session).analysis_id, message="x", **more)
    assert (made.status, made.path) == ("needs_confirmation", None)
    return plan_of(session, made)


def answered(session: Session, plan: Plan, decided: Mapping[str, bool]) -> ConfirmResult:
    opened, challenge = asking.open_question(session, plan.plan_id, form=True)
    given = FormAnswer(
        action="accept", approve=True, ticked=frozenset(CONFIRMATIONS), decided=decided
    )
    return asking.answer_form(session, opened, challenge, given)


def written(session: Session, plan: Plan, token: str | None, **more: Any) -> GenerateResult:
    return generate(session, analysis_id=plan.to_revision, message="x", token=token, **more)


@pytest.mark.proves("D07", "A10", "A09")
def test_a_candidate_is_asked_about_though_the_client_named_none(renaming: Session) -> None:
    made = generate(renaming, analysis_id=analyze(renaming).analysis_id, message="x")
    plan = plan_of(renaming, made)
    assert [(c.rename, c.named) for c in plan.renames] == [(RENAME, False)]
    assert confirmations(plan) == ("backed_up", "no_code_references")
    form = schema_of(form_for(plan))
    assert set(form["required"]) == {"rename_1", "backed_up", "no_code_references", "approve"}
    assert form["properties"]["rename_1"] == {
        "type": "boolean",
        "title": "Is short_code the new name of tasks.code?",
        "description": "Yes: tasks.code is renamed to short_code with 3 values. No: "
        "tasks.code is dropped with 3 values. Likeness 93 of 100. For it: same type, same "
        "nullability, same server default, similar name.",
    }
    question = made.question or ""
    assert "This will DELETE all data in code, unless it is a rename." in question
    assert "1. Is short_code the new name of tasks.code?" in question
    assert "Still used in the code:\n- app.py:1 (certain): tasks.code, Task.code" in question


@pytest.mark.proves("D07", "C02")
@pytest.mark.parametrize(("said", "renames"), [(YES, (RENAME,)), (NO, ())])
@pytest.mark.parametrize("named", [(), (ID,)])
def test_what_the_person_said_is_written_whatever_the_client_named(
    renaming: Session,
    project: Any,
    said: Mapping[str, bool],
    renames: tuple[Rename, ...],
    named: tuple[str, ...],
) -> None:
    plan = stopped(renaming, renames=named)
    assert plan.renames[0].named is bool(named)
    given = answered(renaming, plan, said)
    made = written(renaming, plan, given.token, renames=[] if said is YES else [ID])
    assert (made.status, project.renamed) == ("written", [renames])
    assert made.renames == given.renames != ()
    assert ("renamed" in made.renames[0]) is (said is YES)
    assert renaming.store.entries()[-1].detail.endswith(made.renames[0])


@pytest.mark.proves("D07")
def test_without_an_answer_to_each_nothing_is_approved(renaming: Session, project: Any) -> None:
    plan = stopped(renaming)
    with pytest.raises(AnswerRefused, match="does not say whether"):
        answered(renaming, plan, {})
    assert (project.revisions, renaming.store.grant("")) == ({}, None)


@pytest.mark.proves("D07")
def test_what_is_chosen_on_the_page_comes_with_its_token(
    renaming: Session, project: Any, hasher: PinHasher
) -> None:
    plan = asked_on_the_page(renaming, hasher)
    token = asking.collect(renaming, *plan).token  # type: ignore[union-attr]
    assert written(renaming, plan[0], token).status == "written"
    assert project.renamed == [(RENAME,)]


@pytest.mark.proves("D07", "C02")
def test_a_choice_that_was_changed_in_the_store_gives_nothing(
    renaming: Session, tmp_path: Path, hasher: PinHasher
) -> None:
    plan, challenge = asked_on_the_page(renaming, hasher)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("UPDATE rulezero_challenges SET chosen = '[]'")
    with pytest.raises(AnswerRefused, match="knows no such answer"):
        asking.collect(renaming, plan, challenge)


def asked_on_the_page(session: Session, hasher: PinHasher) -> tuple[Plan, Challenge]:
    """A question that was answered on the page: the candidate is a rename."""
    enrolment.enroll_pin(session.desk, hasher, "open sesame")
    plan, challenge = asking.open_question(session, stopped(session).plan_id, form=False)
    proof = Proof(nonce=challenge.nonce, person=challenge.person, level="secret", channel=PAGE)
    answering.approve(
        session.desk,
        Waiting(plan=plan, challenge=challenge),
        proof,
        ticked=frozenset(CONFIRMATIONS),
        decided=YES,
    )
    return plan, challenge


@pytest.mark.proves("D07", "A09")
def test_where_the_table_is_empty_here_the_person_decides_all_the_same(
    renaming: Session, project: Any
) -> None:
    project.counts = 0
    assert analyze(renaming).risk != "CRITICAL"
    plan = stopped(renaming)
    assert "no value in it now" in question_text(plan)


@pytest.mark.proves("D07")
def test_a_rename_below_the_bar_is_asked_about_where_it_is_named(
    renaming: Session, project: Any
) -> None:
    other = replace(NEW, name="label", nullable=False)
    project.wanted = (replace(DROP_AND_ADD[0], column=other), DROP_AND_ADD[1])
    assert analyze(renaming).rename_candidates == ()
    assert stopped(renaming).renames == ()
    plan = stopped(renaming, renames=["tasks.code -> label"])
    assert [(c.named, c.score < BAR) for c in plan.renames] == [(True, True)]
    assert "The assistant asked for this rename." in question_text(plan)
    assert "nulls" in [f.asked.probe for f in plan.facts]


@pytest.mark.proves("D07")
def test_what_looks_like_a_rename_and_is_no_candidate_is_dropped_only_when_a_person_says_so(
    renaming: Session,
) -> None:
    plan = stopped(renaming)
    alike = replace(plan.findings[0], rule="rename-as-drop-add", subject="tasks.other")
    more = replace(plan, findings=(*plan.findings, alike))
    assert "meant_as_drops" in confirmations(more)
    assert "meant_as_drops" not in confirmations(plan)


def test_a_rename_that_the_models_do_not_want_is_refused(renaming: Session, project: Any) -> None:
    analysis = analyze(renaming).analysis_id
    with pytest.raises(UnknownRename):
        generate(renaming, analysis_id=analysis, message="x", renames=["tasks.id -> key"])
    assert project.revisions == {}


def test_one_name_cannot_be_renamed_twice(renaming: Session, project: Any) -> None:
    second = replace(DROP_AND_ADD[0], column=replace(NEW, name="long_code"))
    project.wanted = (second, *DROP_AND_ADD)
    plan = stopped(renaming)
    assert all(c.ambiguous for c in plan.renames)
    with pytest.raises(AnswerRefused, match="cannot both be renames"):
        answered(renaming, plan, {"rename_1": True, "rename_2": True})
    given = answered(renaming, plan, {"rename_1": False, "rename_2": True})
    written(renaming, plan, given.token)
    assert [r.id for r in project.renamed[0]] == [plan.renames[1].rename.id]
