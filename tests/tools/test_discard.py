"""Which revisions may be discarded, and which archives purged, before anybody is asked."""

from dataclasses import replace
from typing import Any

import pytest
from tests.tools.test_apply import applied

from rulezero_policies.errors import DiscardRefused, UnknownArchive, UnknownRevision
from rulezero_tools.analyze import analyze
from rulezero_tools.discard import discard
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session
from rulezero_tools.purge import purge, views
from rulezero_tools.records import Kept

NAME = "rulezero_archive_r2_1"


@pytest.mark.proves("A19")
def test_the_plan_binds_the_bytes_of_the_file(session: Session, project: Any) -> None:
    made = generate(session, analysis_id=analyze(session).analysis_id, message="notes")
    plan = discard(session, revision=made.revision or "")
    assert plan.path == made.path
    project.contents[made.path] = b"edited"
    other = discard(session, revision=made.revision or "")
    assert (plan.plan_id, plan.sha256) != (other.plan_id, other.sha256)
    stored = session.store.plan(plan.plan_id)
    assert stored is not None
    assert plan.sha256 in {f.sha256 for f in stored.files}


@pytest.mark.proves("A19")
def test_an_applied_followed_or_unknown_revision_stays(session: Session, project: Any) -> None:
    with pytest.raises(DiscardRefused, match="it is applied in this database"):
        discard(session, revision="r1")
    project.generate("one")
    project.generate("two")
    with pytest.raises(DiscardRefused, match="revisions follow or need it: r3"):
        discard(session, revision="r2")
    with pytest.raises(UnknownRevision):
        discard(session, revision="nothing")


@pytest.mark.proves("A19")
def test_a_revision_that_another_branch_asks_for_stays(session: Session, project: Any) -> None:
    project.generate("one")
    plain = project.describe

    def needing() -> Any:
        seen = plain()
        first = replace(seen.revisions[0], depends=("r2",))
        return replace(seen, revisions=(first, *seen.revisions[1:]))

    project.describe = needing
    with pytest.raises(DiscardRefused, match="revisions follow or need it: r1"):
        discard(session, revision="r2")


@pytest.mark.proves("A19")
def test_a_revision_that_a_plan_ran_anywhere_stays(
    session: Session, project: Any, runner: Any
) -> None:
    runner.error = "OperationalError: disk full"
    plan_id = applied(session, runner).plan_id
    with pytest.raises(DiscardRefused, match=f"{plan_id} ran it"):
        discard(session, revision="r2")


def test_a_file_that_is_none_of_the_projects_stays(session: Session, project: Any) -> None:
    made = project.generate("one")
    del project.contents[made.path]
    with pytest.raises(DiscardRefused, match="not among the project's migrations"):
        discard(session, revision="r2")


@pytest.mark.parametrize("schema", [None, 'we"ird'])
def test_an_archive_is_dropped_by_a_statement_of_our_own(
    session: Session, project: Any, schema: str | None
) -> None:
    project.kept = (Kept(name=NAME, schema=schema, rows=3, bytes=4096, note="users.name"),)
    named = f"{schema}.{NAME}" if schema else NAME
    plan = purge(session, archive=named)
    assert (plan.risk, plan.verdict) == ("CRITICAL", "UNSAFE")
    place = '"we""ird".' if schema else ""
    assert (plan.sql or "").replace("`", '"').replace('we"ird"', 'we""ird"') == (
        f'DROP TABLE {place}"{NAME}";'
    )
    assert "3 rows, 4,096 bytes" in plan.changes[0].description
    assert "users.name" in plan.warnings[0]
    stored = session.store.plan(plan.plan_id)
    assert stored is not None
    assert stored.phrases
    with pytest.raises(UnknownArchive, match=NAME):
        purge(session, archive="users")


def test_the_age_of_an_archive_is_told_by_the_run_that_made_it(
    session: Session, project: Any, runner: Any
) -> None:
    project.kept = (Kept(name=NAME, schema=None, rows=3),)
    assert views(session)[0].days is None
    applied(session, runner)
    assert views(session)[0].days == 0
