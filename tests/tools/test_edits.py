"""A revision that was applied here and is edited afterwards does not pass unseen."""

from typing import Any

import pytest
from tests.tools.test_apply import applied

from rulezero_tools import asking
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.review import review, review_files
from rulezero_tools.rollback import rollback

FILE = "migrations/versions/r2.py"


def told(found: Any) -> list[tuple[str, str, str]]:
    return [(f.subject, f.severity, f.outcome) for f in found.findings if f.rule == "graph"]


EDITED = [("revision r2", "WARNING", "design")]


def waiting(session: Session, project: Any, text: bytes = b"edited") -> None:
    """Another revision waits, and the applied one reads otherwise."""
    session.project.generate("another")
    project.contents[FILE] = text


@pytest.mark.proves("A04")
def test_an_edited_applied_revision_is_a_finding_of_what_follows_it(
    session: Session, runner: Any, project: Any
) -> None:
    plan_id = applied(session, runner).plan_id
    waiting(session, project)
    found = review(session)
    assert told(found) == EDITED
    (finding,) = (f for f in found.findings if f.rule == "graph")
    assert "2026-01-01 12:00 UTC" in finding.evidence
    assert plan_id in finding.evidence
    assert "new revision" in finding.fix


def test_it_is_told_where_all_revisions_are_reviewed_at_the_one_that_was_edited(
    session: Session, runner: Any, project: Any
) -> None:
    applied(session, runner)
    waiting(session, project)
    by_revision = {r.revision: told(r) for r in review_files(session, every=True)}
    assert by_revision == {"r1": [], "r2": EDITED, "r3": []}


def test_it_is_told_where_nothing_waits(session: Session, runner: Any, project: Any) -> None:
    applied(session, runner)
    project.contents[FILE] = b"edited"
    (found,) = review_files(session)
    assert told(found) == EDITED


def test_a_file_that_is_as_it_was_or_gone_is_none(
    session: Session, runner: Any, project: Any
) -> None:
    applied(session, runner)
    waiting(session, project, project.contents[FILE])
    assert told(review(session)) == []
    del project.contents[FILE]
    assert told(review(session)) == []


def test_what_ran_on_another_database_says_nothing_of_this_one(
    session: Session, runner: Any, project: Any
) -> None:
    applied(session, runner)
    waiting(session, project)
    project.host = "localhost"
    assert told(review(session)) == []


def test_a_revision_that_was_rolled_back_may_be_edited(
    session: Session, runner: Any, project: Any, clock: Any
) -> None:
    applied(session, runner)
    clock.forward(minutes=1)
    back = rollback(session).plan_id or ""
    plan, challenge = asking.open_question(session, back, form=True)
    yes = asking.FormAnswer(action="accept", approve=True, typed="yes, drop it")
    token = asking.answer_form(session, plan, challenge, yes).token or ""
    apply(session, runner, plan_id=back, token=token)
    waiting(session, project)
    assert told(review(session)) == []
    project.current = "r2"
    assert told(review(session)) == []
