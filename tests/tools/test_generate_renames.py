"""A rename is written only where a person confirmed exactly that rename."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused, UnknownRename
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.policy import CONFIRMATIONS, confirmations
from rulezero_policies.references import ModelClass, SourceFile, Sources
from rulezero_policies.renames import Rename
from rulezero_server.forms import form_for, schema_of
from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.asking import FormAnswer
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session

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


@pytest.mark.proves("D07", "A10")
def test_a_rename_is_asked_about_by_name_with_the_code_that_uses_the_old_one(
    renaming: Session,
) -> None:
    made = generate(renaming, analysis_id=analyze(renaming).analysis_id, message="x", renames=[ID])
    plan = plan_of(renaming, made)
    assert plan.renames == (RENAME,)
    asked = ("backed_up", "no_code_references", "meant_as_renames")
    assert confirmations(plan) == asked
    assert set(schema_of(form_for(plan))["required"]) == {*asked, "approve"}
    assert f"Renamed, with all its data:\n- {ID}" in (made.question or "")
    assert "Still used in the code:\n- app.py:1 (certain): tasks.code, Task.code" in (
        made.question or ""
    )
    assert "drop" not in " ".join(c.description for c in plan.changes)


@pytest.mark.proves("D07")
def test_what_looks_like_a_rename_is_dropped_only_when_a_person_says_so(
    renaming: Session,
) -> None:
    made = generate(renaming, analysis_id=analyze(renaming).analysis_id, message="x")
    plan = plan_of(renaming, made)
    assert "meant_as_drops" in confirmations(plan)
    assert f"Dropped and added, though it looks like a rename:\n- {ID}" in (made.question or "")
    ticked = frozenset(CONFIRMATIONS) - {"meant_as_drops"}
    opened, challenge = asking.open_question(renaming, plan.plan_id, form=True)
    answer = FormAnswer(action="accept", approve=True, ticked=ticked)
    with pytest.raises(AnswerRefused, match="may be one"):
        asking.answer_form(renaming, opened, challenge, answer)


@pytest.mark.proves("D07", "C02")
def test_the_plan_that_was_confirmed_decides_what_is_renamed(
    renaming: Session, project: Any
) -> None:
    analysis = analyze(renaming)
    made = generate(renaming, analysis_id=analysis.analysis_id, message="x", renames=[ID])
    opened, challenge = asking.open_question(renaming, made.plan_id or "", form=True)
    answer = FormAnswer(action="accept", approve=True, ticked=frozenset(CONFIRMATIONS))
    token = asking.answer_form(renaming, opened, challenge, answer).token
    written = generate(renaming, analysis_id=analysis.analysis_id, message="x", token=token)
    assert written.status == "written"
    assert project.renamed == [(RENAME,)]


def test_a_rename_that_the_models_do_not_want_is_refused(renaming: Session, project: Any) -> None:
    analysis = analyze(renaming).analysis_id
    with pytest.raises(UnknownRename):
        generate(renaming, analysis_id=analysis, message="x", renames=["tasks.id -> key"])
    assert project.revisions == {}


def test_one_name_cannot_be_renamed_twice(renaming: Session, project: Any) -> None:
    second = replace(DROP_AND_ADD[0], column=replace(NEW, name="long_code"))
    project.wanted = (second, *DROP_AND_ADD)
    analysis = analyze(renaming)
    both = [c.id for c in analysis.rename_candidates]
    assert all(c.ambiguous for c in analysis.rename_candidates)
    with pytest.raises(UnknownRename, match="beside another"):
        generate(renaming, analysis_id=analysis.analysis_id, message="x", renames=both)
