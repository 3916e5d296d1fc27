"""What a rehearsal that went up twice says of production."""

from dataclasses import replace

import pytest

from rulezero_policies.parity import safety
from rulezero_policies.parity.safety import Safety
from rulezero_policies.rehearsal import (
    Failed,
    NotRehearsed,
    ReadBack,
    Rehearsal,
    Rehearsed,
    RowsDiffer,
    Shadow,
    Thing,
)
from rulezero_policies.rehearsed import Trial

pytestmark = pytest.mark.proves("B11")

NOTES = (Thing(kind="table", name="notes", definition="table"),)
MORE = (*NOTES, Thing(kind="table", name="tags", definition="table"))
READ = (ReadBack(name="Note", table="notes", rows=2), ReadBack(name="Tag", table="tags", rows=1))
FINE = Rehearsed(upgrade="ok", reupgrade="ok", before=NOTES, there=MORE, again=MORE, readback=READ)
COPY = Shadow(where="a copy of the file", rows="all 3 rows", whole=True, real=True)
MADE_UP = replace(COPY, rows="3 rows made up", whole=False, real=False)
CUT = ("the upgrade was cut off after 30 s",)


def judged(saw: Rehearsed, shadow: Shadow = COPY, *, waits: bool = True) -> Safety:
    trial = Trial(
        rehearsal=Rehearsal(shadow=shadow, saw=saw),
        dialect="sqlite",
        revisions=("r2",) if waits else (),
    )
    return safety.judged(trial)


def of(found: Safety, name: str) -> tuple[str, str]:
    return next((c.state, c.text) for c in found.checks if c.name == name)


def test_all_is_well_where_all_was_seen_to_be() -> None:
    found = judged(FINE)
    assert (found.reasons, found.unknown) == ((), ())
    assert (found.where, found.rows) == ("a copy of the file", "all 3 rows")
    assert of(found, "old data reads") == ("ok", "2 mapped classes read 3 old rows (all 3 rows)")
    assert of(judged(FINE, waits=False), "migration runs") == ("ok", "nothing waits to be applied")


@pytest.mark.parametrize(
    ("saw", "name", "state", "says"),
    [
        ({"broken_before": ("row 3 missing from index i",)}, "existing database opens", "failed",
         "the database is damaged: row 3"),
        ({"before": (), "not_shown": CUT}, "existing database opens", "unknown", "the upgrade was"),
        ({"upgrade": "skipped", "not_shown": CUT}, "migration runs", "unknown", "the upgrade was"),
        ({"upgrade": "skipped"}, "migration runs", "unknown", "it was not reached"),
        ({"upgrade": "failed"}, "migration runs", "unknown", "it was not reached"),
        ({"reupgrade": "skipped"}, "second run changes nothing", "unknown", "it was not reached"),
        ({"again": ()}, "second run changes nothing", "unknown", "it was not reached"),
        ({"runs_again": ("INSERT INTO t",)}, "second run changes nothing", "failed",
         "the second run sends statements again: INSERT INTO t"),
        ({"again": NOTES}, "second run changes nothing", "failed",
         "the second run changes: table tags is missing"),
        ({"data_again": (RowsDiffer(table="notes", before=1, after=2),)},
         "second run changes nothing", "failed", "the second run changes: rows of notes"),
        ({"readback": ()}, "old data reads", "unknown", "the models map no class"),
        ({"upgrade": "skipped"}, "old data reads", "unknown", "the models' own revision was not"),
        ({"readback": (ReadBack(name="N", table="t", error="E", column="c"),)}, "old data reads",
         "failed", "N cannot read its old rows (E at t.c)"),
        ({"readback": (ReadBack(name="N", table="t", error="E"),)}, "old data reads", "failed",
         "N cannot read its old rows (E at t)"),
        ({"broken_after": ("wrong",)}, "old data reads", "failed", "wrong"),
        ({"data_there": (RowsDiffer(table="notes", before=3, after=2, lost=1),)},
         "old data reads", "failed", ""),
    ],
)  # fmt: skip
def test_what_was_seen_otherwise_is_told_by_the_check_that_it_fails(
    saw: dict[str, object], name: str, state: str, says: str
) -> None:
    found = of(judged(replace(FINE, **saw)), name)  # pyright: ignore[reportArgumentType]
    assert found[0] == state
    assert found[1].startswith(says)


@pytest.mark.parametrize(
    ("error", "shadow", "state"),
    [
        ("UNIQUE constraint failed: notes.title", COPY, "failed"),
        ("permission denied for table notes", COPY, "unknown"),
    ],
)
def test_a_failure_counts_as_far_as_the_shadow_is_like_production(
    error: str, shadow: Shadow, state: str
) -> None:
    failed = Failed(leg="upgrade", error=error, kind="IntegrityError", file="r2.py", line=3)
    found = judged(Rehearsed(upgrade="failed", before=NOTES, failed=(failed,)), shadow)
    assert of(found, "migration runs")[0] == state
    assert error in of(found, "migration runs")[1]


def test_a_second_run_that_fails_is_told() -> None:
    failed = Failed(leg="reupgrade", error="no", kind="Error", file="env.py", line=3)
    found = judged(replace(FINE, reupgrade="failed", failed=(failed,)))
    assert of(found, "second run changes nothing")[1].startswith("the second run fails: Error: no")


@pytest.mark.proves("B10")
def test_made_up_rows_say_nothing_of_old_data() -> None:
    broken = (ReadBack(name="N", table="t", error="E"),)
    for saw in (FINE, replace(FINE, readback=broken)):
        found = judged(saw, MADE_UP)
        assert found.reasons == ()
        assert len(found.unknown) == 2
        assert all("3 rows made up" in line for line in found.unknown)


def test_what_is_no_fault_of_the_migration_is_noted() -> None:
    orphans = "1 row of tags refer to rows of notes that are not there"
    shadow = replace(COPY, lacks=("the role app",))
    found = judged(replace(FINE, broken_before=(orphans,), broken_after=(orphans,)), shadow)
    assert found.notes == (orphans, "the shadow lacks the role app")
    assert (found.reasons, found.unknown) == ((), ())


def test_many_things_are_counted() -> None:
    found = judged(replace(FINE, runs_again=tuple(f"S{n}" for n in range(7))))
    assert of(found, "second run changes nothing")[1].endswith("S0; S1; S2; S3; S4; and 2 more")


def test_without_a_shadow_all_is_unknown_but_a_damaged_file_is_a_reason() -> None:
    none = safety.untried(NotRehearsed(reason="rehearsals are off", mend="Write x."), name="users")
    assert none.reasons == ()
    assert none.unknown[0] == "users: existing database opens: rehearsals are off. Write x."
    assert len(none.unknown) == 4
    damaged = "the file of the database could not be copied (SQLITE_CORRUPT)"
    found = safety.untried(NotRehearsed(reason=damaged, mend=""))
    assert found.reasons == (f"existing database opens: {damaged}.",)
    assert len(found.unknown) == 3
