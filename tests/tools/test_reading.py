"""What is read back: status, plans, history."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import NothingPending, SeveralHeads, UnknownPlan
from rulezero_tools import graph
from rulezero_tools.analyze import analyze
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session
from rulezero_tools.reading import PAGE, get_plan, history
from rulezero_tools.records import Revision
from rulezero_tools.review import review
from rulezero_tools.rollback import rollback
from rulezero_tools.status import status


def looked(session: Session, *, can_ask: bool = True) -> Any:
    return status(session, environments=("development",), interpreter="python", can_ask=can_ask)


def test_status_names_what_waits_and_the_open_plan(session: Session) -> None:
    assert "analyze" in looked(session).next_step
    generate(session, analysis_id=analyze(session).analysis_id, message="add notes")
    plan_id = review(session).plan_id
    seen = looked(session)
    assert [r.revision for r in seen.pending] == ["r2"]
    assert [p.plan_id for p in seen.open_plans] == [plan_id]
    assert "review" in seen.next_step


@pytest.mark.proves("D04")
def test_status_says_who_can_approve(session: Session, project: Any) -> None:
    assert "level 'client'" in looked(session).approval
    assert "not approved" in looked(session, can_ask=False).approval
    guarded = replace(session, project=replace(project, protected=True))
    assert "secret" in looked(guarded).approval


def test_a_plan_is_read_section_by_section_and_page_by_page(session: Session, project: Any) -> None:
    generate(session, analysis_id=analyze(session).analysis_id, message="add notes")
    plan_id = review(session).plan_id or ""
    assert "from r1 to r2" in get_plan(session, plan_id=plan_id).text
    assert "-- upgrade r1 r2" in get_plan(session, plan_id=plan_id, section="sql").text
    assert "was not run" in get_plan(session, plan_id=plan_id, section="run").text
    files = get_plan(session, plan_id=plan_id, section="files", page=99)
    assert files.page == files.pages == 1
    assert len(files.text) < PAGE
    with pytest.raises(UnknownPlan):
        get_plan(session, plan_id="plan-0")
    assert project.revisions


def test_history_gives_the_newest_entries_and_says_that_the_chain_is_whole(
    session: Session,
) -> None:
    for _ in range(3):
        analyze(session)
    found = history(session, limit=2)
    assert [e.sequence for e in found.entries] == [2, 3]
    assert found.chain == "whole"


@pytest.mark.proves("A20")
def test_a_rollback_names_the_revision_before_and_what_it_undoes(session: Session) -> None:
    generate(session, analysis_id=analyze(session).analysis_id, message="add notes")
    with pytest.raises(NothingPending):
        rollback(session, revision="r2")
    plan = rollback(session)
    assert (plan.from_revision, plan.to_revision) == ("r1", "base")
    assert get_plan(session, plan_id=plan.plan_id).text.count("flask db upgrade r1") == 1


def test_a_graph_with_merges_knows_what_waits(project: Any) -> None:
    def revision(name: str, *down: str) -> Revision:
        return Revision(id=name, down=down, path=f"{name}.py", message=name)

    revisions = (
        revision("a"),
        revision("b", "a"),
        revision("c", "a"),
        revision("d", "b", "c"),
    )
    seen = replace(project.describe(), revisions=revisions, heads=("d",))
    at_b = replace(seen, database=replace(seen.database, current=("b",)))
    assert [r.id for r in graph.pending(at_b)] == ["c", "d"]
    with pytest.raises(SeveralHeads):
        graph.only_head(replace(seen, heads=("b", "c")))


@pytest.mark.proves("D10")
def test_history_says_how_long_the_trail_is_and_where_it_stands(session: Session) -> None:
    for _ in range(3):
        analyze(session)
    found = history(session, limit=1)
    number, head = session.store.head()
    assert (found.chain, found.length, found.head) == ("whole", number, head)
    noted = session.store.entries()[0].hash
    assert history(session, expect=noted).chain == "whole"
    assert "no entry has the hash" in history(session, expect="0123").chain


@pytest.mark.proves("D10")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM rulezero_audit WHERE sequence > 2", "cut off at the end: after entry 2"),
        ("DELETE FROM rulezero_audit WHERE sequence = 2", "entry 2 was removed"),
        ("UPDATE rulezero_audit SET project = 'x' WHERE sequence = 2", "entry 2 was altered"),
        ("UPDATE rulezero_audit_head SET sequence = 2", "the head names entry 2"),
        ("UPDATE rulezero_audit_head SET hash = 'x'", "entry 4 is not the one"),
        ("DELETE FROM rulezero_audit_head", "the head names entry 0"),
    ],
)
def test_history_says_what_is_broken(
    session: Session, tmp_path: Path, statement: str, said: str
) -> None:
    for _ in range(4):
        analyze(session)
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert said in history(session).chain


@pytest.mark.proves("D10")
def test_what_was_cut_off_stays_seen_when_the_trail_goes_on(
    session: Session, tmp_path: Path
) -> None:
    for _ in range(4):
        analyze(session)
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("DELETE FROM rulezero_audit WHERE sequence > 2")
    connection.commit()
    connection.close()
    analyze(session)
    assert history(session).chain == "entry 3 was removed"


@pytest.mark.proves("D10")
def test_a_trail_is_whole_while_others_add_to_it(session: Session) -> None:
    with ThreadPoolExecutor(2) as pool:
        adding = [pool.submit(analyze, session) for _ in range(10)]
        assert {history(session).chain for _ in range(10)} == {"whole"}
    assert {future.exception() for future in adding} == {None}
