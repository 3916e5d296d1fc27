"""When a backup is made, of what, and how that is said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.backup import (
    ATTESTED,
    WHEN,
    Backup,
    BackupWhen,
    PlannedBackup,
    affected,
    attests,
    line,
    made_line,
    of_what,
    size,
    stricter,
    wanted,
)
from rulezero_policies.findings import Finding
from rulezero_policies.operations import Column, Operation
from rulezero_policies.plan import Plan
from rulezero_policies.policy import Policy, attested, to_type, with_attestation
from rulezero_policies.words import applied_text, approval_request

WHENS = st.sampled_from(WHEN)
COPY = PlannedBackup(form="copy", folder="/b", bytes=2_500_000)
NOTES = Column(name="notes", type="TEXT")
MADE = Backup(
    plan_id="plan-1",
    database="sqlite:/a.db",
    revisions=("r1",),
    fingerprint=None,
    made=datetime(2026, 1, 1, tzinfo=UTC),
    path="/b/plan-1/x.sqlite",
    form="copy",
    bytes=1500,
    sha256="0" * 64,
    tables=(),
    rows=(),
    verified=True,
    checked="restored into a new file",
    command="sqlite3 /a.db",
)


@pytest.mark.parametrize(
    ("when", "critical", "made"),
    [
        ("never", True, False),
        ("critical", False, False),
        ("critical", True, True),
        ("always", False, True),
        ("always", True, True),
    ],
)
def test_the_policy_says_before_which_runs_one_is_made(
    when: BackupWhen, *, critical: bool, made: bool
) -> None:
    assert wanted(when, critical=critical) is made


@given(WHENS, WHENS)
def test_of_two_wishes_the_one_counts_that_asks_for_more(
    one: BackupWhen, other: BackupWhen
) -> None:
    both = stricter(one, other)
    assert both == stricter(other, one)
    assert both in {one, other}
    for critical in (True, False):
        each = wanted(one, critical=critical) or wanted(other, critical=critical)
        assert wanted(both, critical=critical) is each


def test_a_project_may_ask_for_more_backups_and_not_for_fewer() -> None:
    mine = Policy()
    assert mine.tightened(replace(mine, backup="always")).backup == "always"
    assert mine.loosened_by(replace(mine, backup="never")) == ("backup",)
    assert mine.loosened_by(replace(mine, backup="always")) == ()


def test_the_tables_that_steps_touch_are_told() -> None:
    steps = (
        Operation(kind="add_column", table="tasks", column=NOTES),
        Operation(kind="drop_table", table="old", schema="side"),
        Operation(kind="create_table", table="new", columns=(NOTES,)),
        Operation(kind="drop_column", table="new", column=NOTES),
    )
    assert affected(steps) == ((None, "tasks"), ("side", "old"))


@pytest.mark.parametrize("kind", ["execute", "opaque", "statement"])
def test_what_sql_touches_is_never_taken_for_known(kind: str) -> None:
    known = Operation(kind="add_column", table="tasks", column=NOTES)
    dark = Operation(kind=kind, table="tasks", sql="DELETE FROM tasks")  # type: ignore[arg-type]
    assert affected((known, dark)) is None
    assert affected((known, Operation(kind="drop_index", name="ix"))) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "of unknown size"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (2_500_000, "2.5 MB"),
        (3 * 10**9, "3.0 GB"),
    ],
)
def test_sizes_are_said_for_people(number: int | None, text: str) -> None:
    assert size(number) == text


def test_what_it_is_of_is_named_up_to_a_few() -> None:
    assert of_what(()) == "the whole database"
    assert of_what(("a", "b")) == "the tables a, b alone"
    assert of_what(tuple("abcdefg")) == "the tables a, b, c, d, e and 2 more alone"


def test_a_planned_backup_says_what_where_and_what_a_failure_means() -> None:
    assert line(COPY) == (
        "the whole database (2.5 MB; a copy of the file), made in /b and tried before anything "
        "runs; if that fails, nothing runs."
    )
    assert line(replace(COPY, notes=("Not x",))).endswith("nothing runs. Not x.")


def test_one_that_cannot_be_made_says_why_and_what_is_asked_instead() -> None:
    none = replace(COPY, refused="the disk is full")
    assert line(none) == (
        "NONE can be made: the disk is full. Whoever approves states that there is one "
        "('I have a backup')."
    )
    assert line(replace(none, mend="Make room.")).endswith(" Make room.")
    assert (attests(none), attests(COPY), attests(None)) == (True, False, False)


def test_the_persons_word_is_typed_in_one_breath_with_the_rest() -> None:
    assert with_attestation(()) == (ATTESTED,)
    assert with_attestation(("yes, drop it",)) == ("yes, drop it: I have a backup",)
    assert attested(None) == ATTESTED


def test_a_backup_that_was_made_says_how_good_it_is() -> None:
    assert made_line(MADE) == (
        "the whole database, 1.5 kB, at /b/plan-1/x.sqlite (verified: restored into a new file). "
        "To restore by hand: sqlite3 /a.db"
    )
    assert "(not verified: why)" in made_line(replace(MADE, verified=False, checked="why"))


def test_the_page_has_the_persons_word_typed_with_what_was_read(plan: Plan) -> None:
    none = replace(COPY, refused="the disk is full")
    mild = replace(plan, findings=(), backup=none)
    assert to_type(mild) == ATTESTED
    assert to_type(replace(mild, backup=COPY)) is None
    hit = Finding(
        rule="drop-table",
        severity="CRITICAL",
        subject="users",
        evidence="",
        outcome="loses_data",
        fix="",
    )
    assert to_type(replace(mild, findings=(hit,), facts=())) == "users: I have a backup"


def test_an_approval_request_says_what_backup_there_will_be(plan: Plan) -> None:
    assert "**Backup:**" not in approval_request(replace(plan, backup=None))
    assert "**Backup:** the whole database" in approval_request(replace(plan, backup=COPY))


def test_a_restore_is_called_one(plan: Plan) -> None:
    text = approval_request(replace(plan, kind="restore", phrases=("yes, restore it",)))
    assert text.startswith("## Restore Ready for Review")
    assert text.endswith("Should I apply this restore? (Reply: yes/no)")
    assert "### Command to Go On From There" in text
    assert "never the data that was in it" not in text
    told = applied_text(current="r1", previous="r2", rollback_command="up", kind="restore")
    assert told.startswith("Backup restored successfully.\n\nTo go on from there:\nup")
