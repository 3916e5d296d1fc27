"""A draft is rewritten where that makes it better, and left alone everywhere else."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import GateError, NotADraft, UnknownRevision
from rulezero_policies.operations import Column, Operation
from rulezero_policies.plan import hashes
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_policies.rules.rule import revision
from rulezero_tools.apply import apply
from rulezero_tools.fix import fix
from rulezero_tools.ports import Session
from rulezero_tools.review import review

pytestmark = pytest.mark.proves("A14")

FILE = "migrations/versions/r2.py"
TEXT = revision(
    "op.add_column('tasks', sa.Column('notes', sa.Text(), nullable=False))  # why not",
    "op.drop_column('tasks', 'notes')",
)


def added(text: str) -> tuple[Operation, ...]:
    """What the text's one step does, as the worker would read it."""
    default = "'none'" if "server_default='none'" in text else None
    column = Column(name="notes", type="TEXT", nullable=False, server_default=default)
    return (Operation(kind="add_column", table="tasks", column=column, line=10),)


def as_before(_: str) -> tuple[Operation, ...]:
    return added("")


def dropping(text: str) -> tuple[Operation, ...]:
    dropped = Operation(kind="drop_table", table="tasks", line=10)
    return added(text) if text == TEXT else (dropped,)


@pytest.fixture
def draft(project: Any) -> Any:
    """A revision that waits, with a NOT NULL column that has no default."""
    project.revisions["r2"] = ()
    project.contents[FILE] = TEXT.encode()
    project.reads = added
    return project


def test_a_dry_run_shows_the_change_and_writes_nothing(session: Session, draft: Any) -> None:
    done = fix(session, revision="r2", dry_run=True)
    assert (done.status, done.kept, done.review) == ("shown", None, None)
    assert "+    op.add_column('tasks', sa.Column('notes', sa.Text(), nullable=False, " in done.diff
    assert "# why not" in done.diff
    assert [c.rule for c in done.cured] == ["not-null-without-default"]
    assert draft.contents[FILE] == TEXT.encode()
    assert draft.rewritten_files == []


def test_the_old_file_is_kept_the_new_one_reviewed_and_nothing_approved(
    session: Session, draft: Any
) -> None:
    done = fix(session, revision="r2")
    assert done.status == "rewritten"
    assert draft.contents[done.kept] == TEXT.encode()
    assert done.review is not None
    assert (done.review.verdict, done.review.findings) == ("SAFE", ())
    assert "confirm" in done.next_step
    entries = [(e.event, e.detail) for e in session.store.entries()]
    assert ("fixed", f"r2 in {FILE}: not-null-without-default") in entries
    assert not {"approved", "spent", "applied"} & {event for event, _ in entries}


def test_an_earlier_plan_of_a_rewritten_revision_is_stale(
    session: Session, draft: Any, runner: Any, pending: Any
) -> None:
    before = review(session)
    fix(session, revision="r2")
    plan = session.store.plan(before.plan_id or "")
    assert plan is not None
    assert hashes(draft.contents) != plan.files
    with pytest.raises(GateError):
        apply(session, runner, plan_id=before.plan_id or "", token="rz1_" + "0" * 64)
    assert runner.runs == []


def test_what_is_asked_for_and_not_found_is_said(session: Session, draft: Any) -> None:
    done = fix(session, revision="r2", findings=["index-lock"])
    assert done.status == "unchanged"
    assert [(n.rule, n.what) for n in done.not_cured] == [
        ("index-lock", "the review finds nothing of the kind")
    ]
    assert draft.rewritten_files == []


def test_a_recipe_that_does_not_cure_is_not_taken(session: Session, draft: Any) -> None:
    draft.reads = as_before
    done = fix(session, revision="r2")
    assert (done.status, done.diff) == ("unchanged", "")
    assert "does not cure it" in done.not_cured[0].what


def test_a_recipe_that_brings_something_else_is_not_taken(session: Session, draft: Any) -> None:
    draft.reads = dropping
    done = fix(session, revision="r2")
    assert done.status == "unchanged"
    assert "would bring" in done.not_cured[0].what
    assert draft.contents[FILE] == TEXT.encode()


def test_only_a_revision_that_waits_is_rewritten(session: Session, draft: Any) -> None:
    draft.current = "r2"
    with pytest.raises(NotADraft, match="applied in this database"):
        fix(session, revision="r2")
    with pytest.raises(UnknownRevision):
        fix(session, revision="nope")
    assert draft.rewritten_files == []


def test_a_file_that_is_no_utf8_is_refused(session: Session, draft: Any) -> None:
    draft.contents[FILE] = TEXT.encode("utf-16")
    draft.reads = as_before
    with pytest.raises(NotADraft, match="UTF-8"):
        fix(session, revision="r2")


def test_a_shadow_that_cannot_be_made_hinders_no_fix(
    session: Session, draft: Any, rehearsing: Any
) -> None:
    rehearsed, rehearser = rehearsing(NotRehearsed(reason="none here", mend="install one"))
    done = fix(replace(rehearsed, project=draft), revision="r2")
    assert done.status == "rewritten"
    assert done.review is not None
    assert not done.review.rehearsed
    assert b"server_default" in rehearser.asked[0]["files"][FILE]
