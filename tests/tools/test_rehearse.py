"""What waits is rehearsed as it is planned, and what that showed is kept, shown and read back."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.rehearsal import (
    Failed,
    Lock,
    NotRehearsed,
    Rehearsal,
    Rehearsed,
    RowsDiffer,
    Sent,
    Shadow,
    TableSize,
    Thing,
)
from rulezero_tools.ports import Session
from rulezero_tools.reading import get_plan
from rulezero_tools.review import review, review_files
from rulezero_tools.rollback import rollback
from rulezero_tools.shorten import shortened

Rehearsing = Callable[..., tuple[Session, Any]]

SHADOW = Shadow(where="PostgreSQL 18", rows="all 12 rows", whole=True, real=True)
OK = Rehearsal(
    shadow=SHADOW, saw=Rehearsed(upgrade="ok", downgrade="ok", reupgrade="ok", seconds=0.5)
)
NONE = NotRehearsed(reason="there is no server to rehearse on", mend="Install PostgreSQL.")
LOCK = Lock(relation="tasks", mode="AccessExclusiveLock")
STATEMENT = Sent(
    leg="upgrade",
    sql="ALTER TABLE tasks ADD COLUMN notes TEXT",
    start=0.0,
    seconds=0.25,
    revision="r2",
    file="migrations/versions/r2.py",
    line=9,
    transaction=1,
    rows=4,
    locks=(LOCK,),
    rewrites=("tasks",),
    builds=("ix_notes",),
)
FAILED = Failed(
    leg="upgrade",
    error="column contains null values",
    kind="NotNullViolation",
    revision="r2",
    file="migrations/versions/r2.py",
    line=9,
    sql="ALTER TABLE tasks ...",
    keys=("3",),
)


def saw(**more: Any) -> Rehearsal:
    return replace(OK, saw=replace(OK.saw, **more))


def test_a_review_rehearses_the_bytes_that_it_plans(rehearsing: Rehearsing, project: Any) -> None:
    session, rehearser = rehearsing(OK)
    session.project.generate("add notes")
    told: list[str] = []
    result = review(session, progress=told.append)
    (asked,) = rehearser.asked
    plan = session.store.plan(result.plan_id or "")
    assert plan is not None
    assert asked["files"] == session.store.sealed(plan.files) == project.contents
    assert (asked["direction"], asked["start"], asked["to"]) == ("upgrade", ("r1",), "r2")
    assert asked["identity"] == plan.database
    assert "rehearsing" in told
    assert plan.rehearsal is not None
    assert plan.rehearsal.upgrade == "ok"
    assert result.rehearsal.ran
    assert "**Rehearsal:** upgrade ok, downgrade ok, upgrade again ok" in result.approval_request
    assert result.verdict == "SAFE"


def test_without_a_shadow_a_review_is_still_one_and_says_what_to_do(
    rehearsing: Rehearsing,
) -> None:
    session, _ = rehearsing(NONE)
    session.project.generate("add notes")
    result = review(session)
    assert (result.verdict, result.findings) == ("SAFE", ())
    line = "Not rehearsed: there is no server to rehearse on. Install PostgreSQL."
    assert line in result.warnings
    assert (result.rehearsal.ran, result.rehearsal.reason) == (False, NONE.reason)
    assert "**Rehearsal:** none: there is no server to rehearse on." in result.approval_request
    text = get_plan(session, plan_id=result.plan_id or "", section="rehearsal").text
    assert text.startswith("Rehearsal: none: there is no server")


def test_without_a_rehearser_nothing_is_said_of_one(session: Session) -> None:
    session.project.generate("add notes")
    result = review(session)
    assert not result.rehearsal.ran
    assert "Rehearsal" not in result.approval_request
    text = get_plan(session, plan_id=result.plan_id or "", section="rehearsal").text
    assert text == "Rehearsal: none was made"


def test_a_failure_decides_the_verdict(rehearsing: Rehearsing) -> None:
    failed = Rehearsed(upgrade="failed", failed=(FAILED,), sent=(STATEMENT,))
    session, _ = rehearsing(replace(OK, saw=failed))
    session.project.generate("add notes")
    result = review(session)
    assert (result.verdict, result.risk) == ("UNSAFE", "CRITICAL")
    assert [f.rule for f in result.findings] == ["upgrade-fails"]
    assert result.rehearsal.error == (
        "upgrade at migrations/versions/r2.py, line 9: NotNullViolation: column contains null "
        "values (keys 3)"
    )
    assert "upgrade FAILED" in result.approval_request


def test_a_rehearsal_that_was_cut_off_is_no_safe_one(rehearsing: Rehearsing) -> None:
    session, _ = rehearsing(saw(not_shown=("the second upgrade was not reached",)))
    session.project.generate("add notes")
    result = review(session)
    assert result.verdict == "NEEDS_CHANGES"
    assert [(f.rule, f.outcome) for f in result.findings] == [("rehearsal-cut-off", "unknown")]


def test_the_warning_of_what_the_rehearsal_refuted_goes_with_its_finding(
    rehearsing: Rehearsing, project: Any
) -> None:
    narrower = Operation(
        kind="alter_column",
        table="tasks",
        column=Column(name="code", type="VARCHAR(20)"),
        changes=(Change(attribute="type", before="VARCHAR(20)", after="VARCHAR(5)"),),
        line=9,
    )
    earlier = Operation(kind="execute", sql="UPDATE tasks SET code = 'x'", line=8)
    project.wanted = (earlier, narrower)
    session, _ = rehearsing(OK)
    session.project.generate("narrow")
    with_rehearsal = review(session)
    without = review(replace(session, rehearser=None))
    assert "narrow" in {f.rule for f in without.findings}
    assert any("Changing 'tasks.code'" in w for w in without.warnings)
    assert "narrow" not in {f.rule for f in with_rehearsal.findings}
    assert not any("Changing 'tasks.code'" in w for w in with_rehearsal.warnings)


def test_reading_files_only_never_rehearses(rehearsing: Rehearsing) -> None:
    session, rehearser = rehearsing(OK)
    session.project.generate("add notes")
    review_files(session, static=True)
    review_files(session, every=True)
    review_files(session, revision="r1")
    assert rehearser.asked == []
    (result,) = review_files(session)
    assert result.rehearsal.ran
    (again,) = review_files(session, revision="r2")
    assert again.rehearsal.ran
    assert len(rehearser.asked) == 2


def test_one_revision_that_others_stand_before_is_not_rehearsed_by_itself(
    rehearsing: Rehearsing,
) -> None:
    session, rehearser = rehearsing(OK)
    session.project.generate("one")
    session.project.generate("two")
    review_files(session, revision="r3")
    assert rehearser.asked == []


def test_a_rollback_rehearses_down_and_up_and_says_what_it_loses(
    rehearsing: Rehearsing, project: Any
) -> None:
    session, rehearser = rehearsing(OK)
    session.project.generate("add notes")
    project.current = "r2"
    differ = RowsDiffer(table="tasks", before=3, after=3, changed=3, columns=("notes",))
    down = Rehearsed(downgrade="ok", upgrade="ok", data_back=(differ,))
    rehearser.answer = replace(OK, saw=down)
    result = rollback(session)
    (asked,) = rehearser.asked
    assert (asked["direction"], asked["start"], asked["to"]) == ("downgrade", ("r2",), "r1")
    assert result.rehearsal.lost == (
        "tasks.notes: its values in 3 rows, for the column is dropped",
    )
    assert "downgrade ok, upgrade again ok" in result.approval_request


def test_a_rollback_without_a_shadow_says_so(rehearsing: Rehearsing, project: Any) -> None:
    session, _ = rehearsing(NONE)
    session.project.generate("add notes")
    project.current = "r2"
    result = rollback(session)
    assert any(w.startswith("Not rehearsed: ") for w in result.warnings)
    plan = session.store.plan(result.plan_id)
    assert plan is not None
    assert plan.rehearsal is not None
    assert plan.rehearsal.direction == "downgrade"


@pytest.fixture
def much() -> Rehearsal:
    """A rehearsal with more of everything than a result can hold."""
    table = Thing(kind="table", name="t", definition="x")
    index = replace(table, kind="index", table="t")
    many = tuple(replace(index, name=f"ix_{n}_{'x' * 80}") for n in range(80))
    texts = tuple(f"{n} {'y' * 300}" for n in range(80))
    statements = tuple(
        replace(STATEMENT, sql=f"{STATEMENT.sql} {n} {'z' * 400}", locks=(LOCK,) * 20)
        for n in range(80)
    )
    size = TableSize(table="tasks", rows=5_000, target=900_000)
    return Rehearsal(
        shadow=replace(SHADOW, lacks=texts, sizes=(size,)),
        saw=Rehearsed(
            upgrade="ok",
            downgrade="failed",
            sent=(*statements, replace(STATEMENT, committed=False, line=None)),
            failed=(replace(FAILED, leg="downgrade"), replace(FAILED, leg="downgrade", sql=None)),
            before=(table, *many),
            remaining=texts,
            unreadable=("Task: LookupError",),
            not_shown=texts,
        ),
    )


def test_a_result_stays_small_and_get_plan_has_the_rest(
    rehearsing: Rehearsing, much: Rehearsal
) -> None:
    session, _ = rehearsing(much)
    session.project.generate("add notes")
    full = review(session)
    short = shortened(full)
    assert len(json.dumps(asdict(short.rehearsal))) < 8_000
    assert len(short.rehearsal.timeline) < len(full.rehearsal.timeline) == 60
    assert "all of the rehearsal (`get_plan` with section rehearsal" in short.next_step
    plan_id = full.plan_id or ""
    pages = get_plan(session, plan_id=plan_id, section="rehearsal").pages
    text = "".join(
        get_plan(session, plan_id=plan_id, section="rehearsal", page=n + 1).text
        for n in range(pages)
    )
    for part in (
        "Failed:\n- downgrade at migrations/versions/r2.py, line 9: NotNullViolation",
        "keys of rows in the way: 3",
        "Models and database still differ:\n- 0 y",
        "Old rows that models no longer read:\n- Task: LookupError",
        "Not shown:\n- 0 y",
        "The shadow lacks:\n- 0 y",
        "AccessExclusiveLock on tasks for 0.250 s (upgrade): reads and writes wait",
        "an estimate of ",
        "0.000 s +0.250 s upgrade r2.py:9 ALTER TABLE tasks",
        "[rewrites tasks; builds ix_notes; AccessExclusiveLock on tasks",
        "rolled back]",
        "… and 21 more statements",
    ):
        assert part in text


def test_places_are_as_exact_as_they_are_known(rehearsing: Rehearsing) -> None:
    plain = replace(STATEMENT, line=None, locks=None, rewrites=(), builds=(), rows=None)
    steps = (plain, replace(plain, file=None), replace(plain, file=None, revision=None))
    session, _ = rehearsing(saw(sent=steps))
    session.project.generate("add notes")
    result = review(session)
    assert [b.place for b in result.rehearsal.timeline] == ["r2.py", "r2", ""]
    assert result.rehearsal.locks == ()
    assert shortened(result).rehearsal == result.rehearsal
