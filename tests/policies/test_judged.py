"""What a plan keeps of its rehearsal is small, and a line of it is read by whoever decides."""

from dataclasses import replace
from typing import Any

from rulezero_policies import judged
from rulezero_policies.operations import Column, Operation
from rulezero_policies.rehearsal import (
    Failed,
    Judged,
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
from rulezero_policies.rehearsed import Trial

OK = Rehearsed(upgrade="ok", downgrade="ok", reupgrade="ok", seconds=1.25)
SHADOW = Shadow(where="a copy of the file", rows="all 12 rows", whole=True, real=True)
TABLE = Thing(kind="table", name="users", definition="table")


def judge(saw: Rehearsed, *, shadow: Shadow = SHADOW, **more: Any) -> Judged:
    rehearsal = Rehearsal(shadow=shadow, saw=saw)
    return judged.judge(Trial(rehearsal=rehearsal, dialect="postgresql", **more))


def sent(**more: Any) -> Sent:
    values: dict[str, Any] = {"leg": "upgrade", "sql": "SELECT 1", "start": 0.0, "seconds": 0.0}
    return Sent(**{**values, **more})


def test_what_was_restored_is_said_and_what_was_not_reached_is_not() -> None:
    whole = judge(OK)
    assert (whole.schema_restored, whole.data_restored) == (True, True)
    differ = RowsDiffer(table="users", before=3, after=2, lost=1)
    lost = judge(replace(OK, data_back=(differ,)))
    assert lost.data_restored is False
    assert lost.lost == ("1 row is gone of 3 in users, and no statement deletes them",)
    added = judge(replace(OK, data_back=(replace(differ, lost=0, after=3, added=2),)))
    assert added.lost == ("2 rows of users that the first way added, and left",)
    stopped = judge(Rehearsed(upgrade="ok", downgrade="failed"))
    assert (stopped.schema_restored, stopped.data_restored) == (None, None)
    cut = judge(replace(OK, not_shown=("the rows of users, after the downgrade",)))
    assert cut.data_restored is None


def test_differences_are_those_of_the_way_back_or_of_what_a_failure_left() -> None:
    missing = judge(replace(OK, before=(TABLE,)))
    assert (missing.schema_restored, [d.name for d in missing.differences]) == (False, ["users"])
    failed = judge(Rehearsed(upgrade="failed", there=(TABLE,)))
    assert [d.what for d in failed.differences] == ["added"]
    unread = judge(Rehearsed(upgrade="failed", before=(TABLE,)))
    assert unread.differences == ()


def test_it_holds_no_secret_and_no_long_text() -> None:
    secret = "postgresql://me:hunter2@there/db"
    failed = Failed(leg="upgrade", error=f"{secret} {'x' * 999}", kind="E", sql=secret)
    saw = Rehearsed(
        upgrade="failed",
        failed=(failed, replace(failed, sql=None)),
        sent=(sent(sql=f"SELECT '{secret}' {'y' * 999}"),),
        remaining=(secret,),
    )
    kept = judge(saw, shadow=replace(SHADOW, lacks=(secret,)))
    assert "hunter2" not in str(kept)
    assert len(str(kept)) < 3000
    assert kept.failed[1].sql is None


def test_the_timeline_keeps_what_matters_in_its_order() -> None:
    locks = tuple(Lock(relation=f"r{n}", mode="AccessShareLock") for n in range(12))
    strong = Lock(relation="users", mode="AccessExclusiveLock")
    saw = replace(
        OK,
        sent=(
            sent(sql="first", locks=(*locks, strong)),
            *(sent(sql=f"s{n}", seconds=n / 1000, locks=None) for n in range(80)),
            sent(sql="last", rewrites=("users",)),
        ),
    )
    kept = judge(saw)
    assert (len(kept.timeline), kept.statements) == (60, 82)
    assert [kept.timeline[0].sql, kept.timeline[-1].sql] == ["first", "last"]
    assert kept.timeline[1].sql == "s22"
    assert kept.timeline[0].locks is not None
    assert (len(kept.timeline[0].locks), kept.timeline[0].locks[0]) == (8, strong)
    assert kept.timeline[1].locks is None


def test_estimates_are_kept() -> None:
    shadow = replace(SHADOW, sizes=(TableSize(table="users", rows=2_000),))
    lock = (Lock(relation="users", mode="ShareLock"),)
    kept = judge(replace(OK, sent=(sent(seconds=1.0, locks=lock),)), shadow=shadow)
    assert [e.table for e in kept.estimates] == ["users"]


def test_the_line_tells_ways_place_and_what_was_restored() -> None:
    assert judged.line(judge(OK)) == (
        "upgrade ok, downgrade ok, upgrade again ok (a copy of the file, all 12 rows, 1.2 s); "
        "schema restored; data restored"
    )
    failed = judged.line(judge(Rehearsed(upgrade="failed")))
    assert failed.startswith("upgrade FAILED, downgrade not tried, upgrade again not tried (")
    assert failed.endswith("0.0 s)")


def test_the_line_counts_what_is_wrong() -> None:
    drop = Operation(kind="drop_column", table="users", column=Column(name="a", type="TEXT"))
    differ = RowsDiffer(table="users", before=3, after=3, changed=3, columns=("a",))
    saw = replace(
        OK, before=(TABLE,), data_back=(differ,), remaining=("x", "y"), not_shown=("z", "z")
    )
    told = judged.line(judge(saw, first=(drop,), shadow=replace(SHADOW, lacks=("extension e",))))
    for part in (
        "data NOT restored",
        "1 loss of data",
        "2 differences to the models",
        "2 things not shown",
        "1 thing the shadow lacks",
    ):
        assert part in told


def test_a_rollback_goes_down_and_up_again() -> None:
    down = judge(Rehearsed(downgrade="ok", upgrade="ok"), direction="downgrade")
    assert judged.line(down).startswith("downgrade ok, upgrade again ok (")
    other = judge(Rehearsed(downgrade="ok", reupgrade="failed"), direction="downgrade")
    assert judged.line(other).startswith("downgrade ok, upgrade again FAILED (")


def test_that_there_was_none_is_said_with_what_to_do() -> None:
    answer = NotRehearsed(reason="no server", mend="Install one.")
    kept = judged.none(answer)
    assert (kept.ran, kept.direction) == (False, "upgrade")
    assert judged.none(answer, back=True).direction == "downgrade"
    assert judged.line(kept) == "none: no server. Install one."
    assert judged.line(None) == "none was made"
    assert not judged.none(NotRehearsed(reason="", mend="")).ran
