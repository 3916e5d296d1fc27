"""What can be gone on with after a run that stopped half way, and what cannot."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.plan import DatabaseIdentity
from rulezero_tools import halfdone
from rulezero_tools.records import Sent

pytestmark = pytest.mark.proves("A18")


class Plan:
    """The parts of a plan that count here."""

    kind = "upgrade"
    plan_id = "plan-1"
    revisions = ("r2", "r3")
    skip: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    database = DatabaseIdentity(
        dialect="postgresql", host=None, port=None, name="todo", server_id=None
    )

    def __init__(self, **more: Any) -> None:
        self.__dict__.update(more)


def sent(text: str, landed: Any = "committed", revision: str | None = "r2", **more: Any) -> Sent:
    return Sent(text=text, landed=landed, revision=revision, **more)


TABLE = sent("CREATE TABLE items (id int)")
ROWS = sent("INSERT INTO marks VALUES (1)")
CUT = sent("CREATE INDEX CONCURRENTLY ix ON t (a)", "in part")


def half(*given: Sent, current: tuple[str, ...] = ("r1",), **plan: Any) -> halfdone.Half | None:
    made: Any = Plan(**plan)
    return halfdone.half(made, given, current)


def test_what_a_run_committed_of_a_revision_that_does_not_count_is_half_done() -> None:
    found = half(TABLE, ROWS, CUT)
    assert found is not None
    assert (found.revision, found.done, found.cut) == ("r2", (TABLE.text, ROWS.text), (CUT,))
    assert found.why_not is None
    assert halfdone.cleared(found, "postgresql") == ("DROP INDEX IF EXISTS ix",)


def test_a_run_that_left_nothing_or_whole_revisions_left_nothing_half_done() -> None:
    version = sent("UPDATE alembic_version", version=True, heads=("r2",))
    assert half(sent("CREATE TABLE items (id int)", "rolled back")) is None
    assert half(TABLE, version, current=("r2",)) is None
    assert half(sent("SELECT 1", reads=True)) is None


def test_what_earlier_runs_had_committed_is_done_too() -> None:
    skipped = replace(TABLE, landed="skipped")
    found = half(skipped, ROWS, skip=(TABLE.text,))
    assert found is not None
    assert (found.done, found.why_not) == ((TABLE.text, ROWS.text), None)
    ours = sent("DROP INDEX IF EXISTS ix", revision=None)
    again = half(ours, skipped, CUT, skip=(TABLE.text,), statements=(ours.text,))
    assert again is not None
    assert (again.done, again.cut, again.why_not) == ((TABLE.text,), (CUT,), None)
    # The revision that was gone on with counts by now: what stopped is the next one.
    third = replace(ROWS, revision="r3")
    version = sent("UPDATE alembic_version", version=True, heads=("r2",))
    later = half(skipped, version, third, skip=(TABLE.text,), current=("r2",))
    assert later is not None
    assert (later.revision, later.done) == ("r3", (ROWS.text,))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([sent("CREATE SCHEMA s", revision=None), TABLE], "outside the revision"),
        ([TABLE, sent("ALTER TABLE t ADD a int", "in doubt")], "not known of every statement"),
        ([sent("CREATE TABLE b (id int)", "rolled back"), TABLE], "was rolled back"),
        ([sent("INSERT INTO t VALUES (1) RETURNING id"), TABLE], "gave back rows"),
    ],
)
def test_what_is_done_and_what_is_left_must_be_told_apart(given: list[Sent], why: str) -> None:
    found = half(*given)
    assert found is not None
    assert why in (found.why_not or "")
    plan: Any = Plan()
    assert halfdone.way_on(plan, given, ("r1",)) is None


def test_what_was_cut_off_and_is_no_index_cannot_be_cleared() -> None:
    dropping = sent("DROP INDEX CONCURRENTLY ix", "in part")
    found = half(TABLE, dropping)
    assert found is not None
    assert halfdone.cleared(found, "postgresql") is None
    plan: Any = Plan()
    assert halfdone.way_on(plan, [TABLE, dropping], ("r1",)) is None
    assert halfdone.way_back(plan, [TABLE, dropping], ("r1",)) is None


def test_the_way_back_is_the_newest_first_and_only_where_all_of_it_is_plain() -> None:
    plan: Any = Plan()
    column = sent("ALTER TABLE t ADD COLUMN a int")
    assert halfdone.undoing(plan, [TABLE, column, CUT], ("r1",)) == (
        "DROP INDEX IF EXISTS ix",
        "ALTER TABLE t DROP COLUMN a",
        "DROP TABLE items",
    )
    assert halfdone.undoing(plan, [TABLE, ROWS], ("r1",)) is None
    assert halfdone.undoing(plan, [], ("r1",)) is None


def test_an_undo_that_stopped_half_way_goes_on_with_the_rest() -> None:
    texts = ("DROP INDEX ix", "DROP TABLE items")
    plan: Any = Plan(kind="undo", revisions=(), statements=texts)
    gone = sent(texts[0], revision=None)
    assert halfdone.undoing(plan, [gone], ("r1",)) == ("DROP TABLE items",)
    assert halfdone.way_on(plan, [gone], ("r1",)) is None
    assert "its plan sends `DROP TABLE items`." in (halfdone.way_back(plan, [gone], ("r1",)) or "")
