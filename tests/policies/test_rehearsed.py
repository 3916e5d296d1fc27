"""What a rehearsal showed becomes findings: each thing once, with its evidence."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.findings import Fact, Finding, Outcome, Question, Severity
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.rehearsal import (
    ColumnEmptied,
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
from rulezero_policies.rehearsed import Direction, Trial, findings, warning

WHOLE = Shadow(where="a copy of the file", rows="all 12 rows", whole=True, real=True)
SAMPLE = replace(WHOLE, rows="a sample of 12 rows", whole=False)
MADE_UP = replace(WHOLE, rows="made-up rows", whole=False, real=False)

OK = Rehearsed(upgrade="ok", downgrade="ok", reupgrade="ok")

TABLE = Thing(kind="table", name="users", definition="table")
INDEX = Thing(kind="index", name="ix_email", table="users", definition="INDEX (email)")
ENUM = Thing(kind="enum", name="state", definition="open, done")
ID = Thing(kind="column", name="id", table="users", definition="int", position=1)
EMAIL = Thing(kind="column", name="email", table="users", definition="text", position=2)

NULLS = Failed(
    leg="upgrade",
    error="NOT NULL constraint failed: users.email",
    kind="IntegrityError",
    revision="r2",
    file="migrations/versions/r2.py",
    line=9,
    sql="ALTER TABLE users ALTER COLUMN email SET NOT NULL",
    table="users",
    constraint="email",
    keys=("3", "7"),
)


def finding(
    rule: str,
    *,
    line: int | None = 9,
    severity: Severity = "WARNING",
    outcome: Outcome = "may_fail",
    subject: str = "users.email",
    evidence: str = "seen",
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject=subject,
        evidence=evidence,
        outcome=outcome,
        fix="mend it",
        line=line,
    )


def sent(sql: str, **more: Any) -> Sent:
    values: dict[str, Any] = {"leg": "upgrade", "start": 0.0, "seconds": 0.1, "line": 9}
    return Sent(sql=sql, **{**values, **more})


def judged(
    saw: Rehearsed,
    *known: Finding,
    shadow: Shadow = WHOLE,
    dialect: str = "postgresql",
    direction: Direction = "upgrade",
    **more: Any,
) -> tuple[Finding, ...]:
    held_against: dict[str, Any] = {"revisions": ("r2",), **more}
    trial = Trial(
        rehearsal=Rehearsal(shadow=shadow, saw=saw),
        dialect=dialect,
        direction=direction,
        **held_against,
    )
    return findings(trial, known)


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def failing(failed: Failed, **more: Any) -> Rehearsed:
    return replace(Rehearsed(upgrade="failed", failed=(failed,)), **more)


class TestNothingWrong:
    def test_a_rehearsal_that_shows_nothing_adds_nothing(self) -> None:
        assert judged(OK) == ()
        kept = finding("drop-default", outcome="design")
        assert judged(OK, kept) == (kept,)


class TestUpgradeFails:
    def test_it_is_told_with_error_rows_place_and_statement(self) -> None:
        found = only(judged(failing(NULLS)))
        assert (found.rule, found.severity, found.outcome) == (
            "upgrade-fails",
            "CRITICAL",
            "will_fail",
        )
        for part in (
            "IntegrityError: NOT NULL constraint failed: users.email",
            "rows in the way have the keys 3, 7",
            "at migrations/versions/r2.py, line 9",
            "statement: ALTER TABLE users",
            "nothing of it stays",
        ):
            assert part in found.evidence
        assert "Nothing of it stays" in found.fix
        assert found.line == 9

    def test_constraint_and_table_are_named_where_the_error_does_not(self) -> None:
        found = only(judged(failing(replace(NULLS, error="failed", constraint="ck_email"))))
        assert "constraint ck_email; table users" in found.evidence
        assert "IntegrityError: failed" in found.evidence
        told = only(judged(failing(replace(NULLS, error="IntegrityError: it failed"))))
        assert "IntegrityError: IntegrityError" not in told.evidence

    def test_the_finding_that_feared_it_at_that_line_is_certain_now(self) -> None:
        feared = finding("set-not-null")
        other = finding("index-lock", outcome="blocks")
        found = judged(failing(NULLS), other, feared)
        assert [(f.rule, f.outcome) for f in found] == [
            ("set-not-null", "will_fail"),
            ("index-lock", "blocks"),
        ]
        assert found[0].severity == "CRITICAL"
        assert found[0].evidence.startswith("seen; rehearsed: IntegrityError")

    def test_in_a_batch_block_the_line_is_another_and_the_table_tells(self) -> None:
        failed = replace(NULLS, line=8, table="_alembic_tmp_users")
        found = only(judged(failing(failed), finding("set-not-null", line=9)))
        assert (found.rule, found.outcome) == ("set-not-null", "will_fail")
        apart = judged(failing(failed), finding("set-not-null", subject="teams.email"))
        assert {f.rule for f in apart} == {"upgrade-fails", "set-not-null"}

    def test_without_line_and_table_it_stands_alone(self) -> None:
        failed = replace(NULLS, line=None, file=None, table=None, keys=(), sql=None)
        found = judged(failing(failed), finding("set-not-null"))
        assert {f.rule for f in found} == {"upgrade-fails", "set-not-null"}
        assert "at revision r2" in found[0].evidence
        nowhere = only(judged(failing(replace(failed, revision=None))))
        assert (nowhere.subject, "at the revision" in nowhere.evidence) == ("upgrade", True)

    def test_of_several_revisions_only_the_one_that_failed_is_blamed(self) -> None:
        mine, other = (
            finding("set-not-null", evidence="[r2] x"),
            finding("set-not-null", evidence="[r1] x"),
        )
        found = judged(failing(NULLS), other, mine, revisions=("r1", "r2"))
        assert [f.evidence[:4] for f in found if f.outcome == "will_fail"] == ["[r2]"]
        alone = judged(failing(NULLS), revisions=("r1", "r2"))
        assert only(alone).evidence.startswith("[r2] ")

    @pytest.mark.parametrize(
        ("change", "shadow", "expected"),
        [
            ({}, SAMPLE, ("CRITICAL", "will_fail")),
            ({}, MADE_UP, ("CRITICAL", "may_fail")),
            ({"keys": (), "kind": "UniqueViolation"}, MADE_UP, ("CRITICAL", "may_fail")),
            ({"keys": (), "kind": "ProgrammingError"}, MADE_UP, ("CRITICAL", "will_fail")),
            ({"error": "permission denied for table"}, WHOLE, ("CRITICAL", "may_fail")),
            ({"kind": "RefusedError"}, WHOLE, ("WARNING", "unknown")),
            (
                {"error": 'type "citext" does not exist', "kind": "UndefinedObject"},
                replace(WHOLE, lacks=("extension citext",)),
                ("CRITICAL", "may_fail"),
            ),
            (
                {"error": 'type "citext" does not exist', "kind": "UndefinedObject"},
                WHOLE,
                ("CRITICAL", "will_fail"),
            ),
        ],
    )
    def test_what_the_shadow_may_be_to_blame_for_is_not_certain(
        self, change: dict[str, Any], shadow: Shadow, expected: tuple[str, str]
    ) -> None:
        failed = replace(NULLS, **change)
        found = only(judged(failing(failed), shadow=shadow))
        assert (found.severity, found.outcome) == expected
        merged = only(judged(failing(failed), finding("set-not-null"), shadow=shadow))
        if expected != ("CRITICAL", "will_fail"):
            assert merged.outcome == "may_fail"

    def test_what_is_left_behind_is_named_by_the_catalogue(self) -> None:
        made = Thing(kind="table", name="jobs", definition="table")
        saw = failing(NULLS, before=(TABLE,), there=(TABLE, made))
        found = only(judged(saw))
        assert "left behind: table jobs was not there before" in found.evidence
        assert "undo by hand" in found.fix

    def test_what_is_committed_already_is_named_where_the_catalogue_was_not_read(self) -> None:
        before = tuple(sent(f"UPDATE t{n} SET a = 1", committed=n != 2) for n in range(6))
        saw = failing(NULLS, before=(TABLE,), sent=(*before, sent(NULLS.sql or "")))
        found = only(judged(saw))
        assert "committed before it: UPDATE t0 SET a = 1; UPDATE t1 SET a = 1" in found.evidence
        assert "and 2 more" in found.evidence
        assert "t2" not in found.evidence

    def test_rows_that_were_committed_are_told_where_the_catalogue_is_the_same(self) -> None:
        saw = failing(
            NULLS, before=(TABLE,), there=(TABLE,), sent=(sent("UPDATE t SET a = 1", rows=3),)
        )
        assert "committed before it: UPDATE t" in only(judged(saw)).evidence
        nothing = failing(
            NULLS, before=(TABLE,), there=(TABLE,), sent=(sent("CREATE INDEX i ON t (a)"),)
        )
        assert "nothing of it stays" in only(judged(nothing)).evidence

    def test_mysql_commits_with_every_ddl_statement(self) -> None:
        steps = (
            sent("UPDATE t SET a = 1", committed=False),
            sent("CREATE TABLE j (id int)", committed=False),
            sent("UPDATE t SET b = 1", committed=False),
        )
        saw = failing(NULLS, before=(TABLE,), sent=steps)
        by_itself = failing(replace(NULLS, sql="SELECT 1"), before=(TABLE,), sent=steps)
        assert "SET b" in only(judged(saw, dialect="mariadb")).evidence
        told = only(judged(by_itself, dialect="mariadb")).evidence
        assert "CREATE TABLE j" in told
        assert "SET b" not in told
        assert "nothing of it stays" in only(judged(saw)).evidence

    def test_revisions_that_are_through_are_named_and_not_run_again(self) -> None:
        saw = failing(
            NULLS, before=(TABLE,), sent=(sent("CREATE TABLE a (id int)", revision="r1"),)
        )
        found = only(judged(saw, revisions=("r1", "r2")))
        assert "r1 stays applied" in found.evidence
        assert "Revisions up to r1 are done" in found.fix


class TestRefuted:
    def test_what_may_fail_on_rows_goes_when_all_the_rows_let_it_pass(self) -> None:
        feared = finding("set-not-null")
        assert judged(OK, feared) == ()

    @pytest.mark.parametrize("shadow", [SAMPLE, MADE_UP])
    def test_a_part_of_the_rows_proves_nothing(self, shadow: Shadow) -> None:
        feared = finding("set-not-null")
        assert judged(OK, feared, shadow=shadow) == (feared,)

    def test_nor_does_a_rehearsal_that_was_cut_off(self) -> None:
        feared = finding("set-not-null")
        found = judged(replace(OK, not_shown=("the downgrade was not reached",)), feared)
        assert feared in found

    @pytest.mark.parametrize(
        "kept",
        [
            finding("set-not-null", outcome="will_fail"),
            finding("type-change"),
            finding("not-null-without-default"),
        ],
    )
    def test_what_rows_alone_do_not_decide_stays(self, kept: Finding) -> None:
        assert judged(OK, kept) == (kept,)

    def test_a_mysql_that_is_not_known_to_be_strict_proves_nothing(self) -> None:
        feared = finding("set-not-null")
        mode = Question(probe="sql_mode")
        strict = Fact(question="strict", count=1, asked=mode)
        assert judged(OK, feared, dialect="mysql") == (feared,)
        assert judged(OK, feared, dialect="mysql", facts=(strict,)) == ()

    def test_values_that_changed_on_the_way_keep_the_fear_of_a_lenient_database(self) -> None:
        differ = RowsDiffer(table="users", before=3, after=3, changed=2, columns=("email",))
        saw = replace(OK, data_there=(differ,))
        retyped = Operation(
            kind="alter_column",
            table="users",
            column=Column(name="email", type="TEXT"),
            changes=(Change(attribute="type", before="TEXT", after="INT"),),
        )
        cast, narrow = finding("cast"), finding("narrow")
        assert judged(saw, cast, dialect="sqlite", first=(retyped,)) == (cast,)
        assert judged(saw, cast, narrow, first=(retyped,)) == (narrow,)

    def test_a_shadow_with_another_number_of_rows_proves_nothing(self) -> None:
        feared = finding("add-unique")
        rows = Question(probe="rows", table="users")
        shadow = replace(WHOLE, sizes=(TableSize(table="users", rows=3),))
        for count, gone in ((3, True), (4, False), (None, True)):
            fact = Fact(question="rows", count=count, asked=rows)
            found = judged(OK, feared, shadow=shadow, facts=(fact,))
            assert (found == ()) is gone


class TestDowngrade:
    FAILED = replace(NULLS, leg="downgrade", line=14, sql="DROP INDEX x", keys=(), table=None)
    SAW = Rehearsed(upgrade="ok", downgrade="failed", failed=(FAILED,))

    def test_one_that_the_database_refuses_is_critical(self) -> None:
        found = only(judged(self.SAW))
        assert (found.rule, found.severity, found.outcome) == (
            "downgrade-fails",
            "CRITICAL",
            "will_fail",
        )

    def test_one_that_refuses_on_purpose_is_a_warning(self) -> None:
        raised = replace(self.FAILED, kind="NotImplementedError", error="no way back", sql=None)
        saw = replace(self.SAW, failed=(raised,))
        found = only(judged(saw))
        assert (found.rule, found.severity, found.outcome) == (
            "downgrade-fails",
            "WARNING",
            "design",
        )
        said = finding("downgrade-raises", line=12, outcome="design")
        merged = only(judged(saw, said))
        assert (merged.rule, merged.severity) == ("downgrade-raises", "WARNING")
        assert "rehearsed: NotImplementedError: no way back" in merged.evidence

    def test_the_rule_that_knew_it_is_told_with_it(self) -> None:
        said = finding("downgrade-order", line=13, outcome="will_fail", severity="CRITICAL")
        merged = only(judged(self.SAW, said))
        assert (merged.rule, merged.outcome) == ("downgrade-order", "will_fail")

    def test_a_schema_that_is_not_restored_says_exactly_what_differs(self) -> None:
        saw = replace(OK, before=(TABLE, INDEX), back=(TABLE, ENUM))
        found = only(judged(saw))
        assert (found.rule, found.severity, found.outcome) == (
            "downgrade-differs",
            "WARNING",
            "design",
        )
        assert "index ix_email on users is missing" in found.evidence
        assert "enum state was not there before" in found.evidence
        assert "index ix_email on users is missing" in found.fix

    def test_the_finding_that_said_so_gets_the_difference(self) -> None:
        saw = replace(OK, before=(TABLE, INDEX), back=(TABLE,))
        said = finding("downgrade-mismatch", outcome="design")
        assert only(judged(saw, said)).evidence.endswith("index ix_email on users is missing")
        several = judged(saw, said, revisions=("r1", "r2"))
        assert {f.rule for f in several} == {"downgrade-mismatch", "downgrade-differs"}

    @pytest.mark.parametrize(("dialect", "number"), [("postgresql", 0), ("mariadb", 1)])
    def test_a_column_that_comes_back_last_is_a_finding_where_it_need_not(
        self, dialect: str, number: int
    ) -> None:
        name = Thing(kind="column", name="name", table="users", definition="text", position=3)
        moved = (TABLE, ID, replace(name, position=2), replace(EMAIL, position=3))
        saw = replace(OK, before=(TABLE, ID, EMAIL, name), back=moved)
        found = judged(saw, dialect=dialect)
        assert len(found) == number
        assert all("column users.email is 3rd, was 2nd" in f.evidence for f in found)
        assert all(f.subject == "users.email" for f in found)

    def test_a_difference_is_about_its_schema_too(self) -> None:
        column = replace(EMAIL, schema="app")
        assert only(judged(replace(OK, before=(column,)))).subject == "app.users.email"

    def test_where_the_way_back_ended_elsewhere_nothing_is_compared(self) -> None:
        ends = "the downgrade ends at r0, not at the start"
        saw = replace(OK, before=(TABLE,), back=(INDEX,), not_shown=(ends,))
        assert [f.rule for f in judged(saw)] == ["rehearsal-cut-off"]
        cut = replace(OK, before=(TABLE,), not_shown=("what the downgrade left",))
        assert [f.rule for f in judged(cut)] == ["rehearsal-cut-off"]


class TestAgain:
    def test_a_second_upgrade_that_fails_is_told(self) -> None:
        again = replace(NULLS, leg="reupgrade", error='type "state" already exists', keys=())
        saw = replace(OK, reupgrade="failed", failed=(again,))
        found = only(judged(saw, finding("set-not-null", outcome="design"))[-1:])
        assert (found.rule, found.severity, found.outcome) == (
            "not-repeatable",
            "WARNING",
            "will_fail",
        )
        assert "going up again: IntegrityError" in found.evidence

    def test_a_second_upgrade_that_makes_something_else_is_told(self) -> None:
        saw = replace(OK, there=(TABLE,), again=(TABLE, ENUM))
        found = only(judged(saw))
        assert (found.rule, found.outcome) == ("not-repeatable", "design")
        assert "enum state was not there before" in found.evidence
        moved = (TABLE, replace(ID, position=2), replace(EMAIL, position=1))
        assert judged(replace(OK, there=(TABLE, ID, EMAIL), again=moved)) == ()
        assert judged(replace(OK, there=(TABLE,))) == ()

    def test_statements_with_nothing_left_to_do_are_told(self) -> None:
        many = tuple(f"UPDATE t{n} SET a = 1" for n in range(6))
        found = only(judged(replace(OK, runs_again=many)))
        assert (found.rule, "UPDATE t0" in found.evidence) == ("runs-twice", True)
        assert "and 2 more" in found.evidence


class TestLosses:
    GONE = RowsDiffer(table="tasks", before=5, after=2, lost=3, keys=("1", "2", "4"))

    def test_rows_that_no_statement_deletes_are_critical(self) -> None:
        found = only(judged(replace(OK, data_there=(self.GONE,))))
        assert (found.rule, found.severity, found.outcome) == (
            "upgrade-loses-data",
            "CRITICAL",
            "loses_data",
        )
        assert "3 rows are gone of 5 in tasks (keys 1, 2, 4)" in found.evidence
        assert "(all 12 rows)" in found.evidence

    def test_without_keys_the_numbers_tell(self) -> None:
        gone = RowsDiffer(table="tasks", schema="app", before=5, after=4)
        found = only(judged(replace(OK, data_there=(gone,))))
        assert "1 row is gone of 5 in app.tasks, and no" in found.evidence

    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM tasks WHERE tasks.id = %(id_1)s",
            "DELETE FROM tasks WHERE id > …",
            "TRUNCATE tasks",
        ],
    )
    def test_rows_that_a_statement_deletes_are_told_where_it_is(self, sql: str) -> None:
        assert judged(replace(OK, data_there=(self.GONE,), sent=(sent(sql),))) == ()

    def test_a_table_that_the_plan_drops_loses_nothing_unsaid(self) -> None:
        drop = Operation(kind="drop_table", table="tasks")
        back = replace(self.GONE, after=0, lost=5)
        saw = replace(OK, data_there=(self.GONE,), data_back=(back,))
        assert judged(saw, first=(drop,)) == ()

    def test_something_that_is_not_understood_may_have_taken_them(self) -> None:
        dark = (sent("DO $$ BEGIN END $$"),)
        found = only(judged(replace(OK, data_there=(self.GONE,), sent=dark)))
        assert found.severity == "WARNING"
        harmless = (sent("CREATE FOO BAR BAZ"), sent("CREATE INDEX i ON tasks (id)"))
        clear = only(judged(replace(OK, data_there=(self.GONE,), sent=harmless)))
        assert clear.severity == "CRITICAL"

    def test_the_rule_that_knows_of_cascades_gets_the_rows(self) -> None:
        said = finding(
            "sqlite-batch-cascade", evidence="users: tasks.user_id ON DELETE CASCADE", line=7
        )
        merged = only(judged(replace(OK, data_there=(self.GONE,)), said, dialect="sqlite"))
        assert (merged.severity, merged.outcome) == ("CRITICAL", "loses_data")
        assert "3 rows are gone" in merged.evidence
        other = replace(said, evidence="users: notes.user_id ON DELETE CASCADE")
        assert len(judged(replace(OK, data_there=(self.GONE,)), other, dialect="sqlite")) == 2

    def test_an_emptied_column_is_told_unless_the_plan_empties_it(self) -> None:
        emptied = ColumnEmptied(table="tasks", column="user_id", values=4)
        differ = RowsDiffer(table="tasks", before=5, after=5, changed=4, columns=("user_id",))
        saw = replace(OK, emptied=(emptied,), data_there=(differ,))
        found = only(judged(saw))
        assert "4 values of tasks.user_id became NULL, and no statement" in found.evidence
        assert judged(replace(saw, sent=(sent("UPDATE tasks SET user_id = NULL"),))) == ()
        of_schema = replace(OK, emptied=(replace(emptied, schema="app", values=1),))
        assert "1 value of app.tasks.user_id" in only(judged(of_schema)).evidence

    def test_other_values_that_nothing_wrote_are_a_warning(self) -> None:
        differ = RowsDiffer(table="tasks", before=5, after=5, changed=1, columns=("user_id",))
        found = only(judged(replace(OK, data_there=(differ,))))
        assert (found.rule, found.severity) == ("upgrade-loses-data", "WARNING")
        assert "tasks.user_id: other values in 1 row, and no statement" in found.evidence
        dark = replace(OK, data_there=(differ,), sent=(sent("DO $$ BEGIN END $$"),))
        assert judged(dark) == ()
        many = replace(differ, changed=None)
        assert "in rows, and no" in only(judged(replace(OK, data_there=(many,)))).evidence

    def test_what_the_upgrade_drops_is_an_honest_loss(self) -> None:
        drop = Operation(
            kind="drop_column", table="users", column=Column(name="email", type="TEXT")
        )
        differ = RowsDiffer(table="users", before=3, after=3, changed=3, columns=("email",))
        assert judged(replace(OK, data_back=(differ,)), first=(drop,)) == ()

    def test_rows_that_only_the_way_back_loses_are_a_broken_downgrade(self) -> None:
        found = only(judged(replace(OK, data_back=(self.GONE,))))
        assert (found.rule, found.severity, found.outcome) == (
            "downgrade-loses-data",
            "CRITICAL",
            "loses_data",
        )
        both = replace(OK, data_there=(self.GONE,), data_back=(self.GONE,))
        assert [f.rule for f in judged(both)] == ["upgrade-loses-data"]

    def test_a_cascade_on_the_way_back_is_no_matter_of_the_upgrade(self) -> None:
        said = finding("sqlite-batch-cascade", evidence="tasks", outcome="loses_data", line=7)
        found = judged(replace(OK, data_back=(self.GONE,)), said)
        assert {f.rule for f in found} == {"sqlite-batch-cascade", "downgrade-loses-data"}

    def test_values_that_only_the_way_back_changed_are_a_warning(self) -> None:
        differ = RowsDiffer(table="users", before=3, after=3, changed=1, columns=("email",))
        found = only(judged(replace(OK, data_back=(differ,))))
        assert (found.rule, found.severity) == ("downgrade-loses-data", "WARNING")
        there = replace(OK, data_there=(differ,), data_back=(differ,))
        assert judged(replace(there, sent=(sent("UPDATE users SET email = ''"),))) == ()
        retyped = Operation(
            kind="alter_column", table="users", column=Column(name="email", type="TEXT")
        )
        assert judged(replace(OK, data_back=(differ,)), back=(retyped,)) == ()


class TestRollback:
    def test_its_own_way_failing_is_critical_and_going_up_again_a_warning(self) -> None:
        down = replace(NULLS, leg="downgrade")
        saw = Rehearsed(downgrade="failed", failed=(down,))
        found = only(judged(saw, direction="downgrade"))
        assert (found.rule, found.severity) == ("downgrade-fails", "CRITICAL")
        again = Rehearsed(downgrade="ok", upgrade="failed", failed=(NULLS,))
        told = only(judged(again, direction="downgrade"))
        assert (told.rule, told.severity) == ("not-repeatable", "WARNING")
        assert "the way back up: " in told.evidence

    def test_its_third_way_has_no_state(self) -> None:
        saw = Rehearsed(downgrade="ok", reupgrade="ok", before=(TABLE,), back=(TABLE, ENUM))
        found = only(judged(saw, direction="downgrade"))
        assert (found.rule, found.outcome) == ("not-repeatable", "design")
        assert "after going back and up again: enum state" in found.evidence

    def test_only_its_own_losses_count(self) -> None:
        gone = RowsDiffer(table="tasks", before=5, after=2, lost=3)
        saw = Rehearsed(downgrade="ok", upgrade="ok", data_back=(gone,))
        assert judged(saw, direction="downgrade") == ()
        own = replace(saw, data_there=(gone,))
        assert only(judged(own, direction="downgrade")).rule == "downgrade-loses-data"


class TestAftermath:
    ADD = Operation(kind="add_column", table="users", column=Column(name="nick", type="TEXT"))

    def test_models_that_still_differ_in_what_the_plan_touches_are_told(self) -> None:
        saw = replace(OK, remaining=("alter column users.nick: type", "add column jobs.x"))
        found = only(judged(saw, first=(self.ADD,)))
        assert (found.rule, found.severity) == ("models-differ", "WARNING")
        assert "users.nick" in found.evidence
        assert "jobs" not in found.evidence
        assert judged(saw, first=()) == ()
        assert judged(saw, first=(self.ADD,), to_head=False) == ()
        assert judged(replace(OK, remaining=("x",)), direction="downgrade") == ()

    def test_old_rows_that_models_no_longer_read_are_critical(self) -> None:
        saw = replace(OK, unreadable=("Job: LookupError",))
        found = only(judged(saw))
        assert (found.rule, found.severity, found.subject) == ("rows-unreadable", "CRITICAL", "Job")
        assert judged(saw, shadow=MADE_UP) == ()
        for kind in ("OperationalError", "UndefinedColumn"):
            missing = replace(OK, unreadable=(f"Job: {kind}",), remaining=("add column x",))
            assert judged(missing) == ()

    def test_integrity_that_is_worse_is_critical_and_what_was_so_before_is_not(self) -> None:
        line = "1 row of tasks refer to rows of users that are not there"
        saw = replace(OK, broken_after=(line,))
        assert only(judged(saw, dialect="sqlite")).rule == "integrity-worse"
        assert judged(replace(saw, broken_before=(line,)), dialect="sqlite") == ()
        more = f"2 rows{line[5:]}"
        assert judged(replace(saw, broken_before=(more,)), dialect="sqlite") == ()
        assert judged(replace(OK, broken_before=(line,), broken_after=(more,))) != ()
        torn = replace(OK, broken_after=("row 3 missing from index ix",))
        assert only(judged(torn)).subject == "the database"
        assert judged(replace(torn, broken_before=torn.broken_after)) == ()

    def test_the_foreign_key_that_brings_orphans_to_light_is_told_with_them(self) -> None:
        line = "1 row of tasks refer to rows of users that are not there"
        said = finding("add-foreign-key", subject="tasks.user_id", outcome="design")
        saw = replace(OK, broken_after=(line,))
        assert line in only(judged(saw, said, dialect="sqlite")).evidence
        other = replace(said, subject="notes.user_id")
        assert len(judged(saw, other, dialect="sqlite")) == 2

    def test_what_a_limit_cut_off_is_unknown(self) -> None:
        found = only(judged(replace(OK, not_shown=("the downgrade was not reached",))))
        assert (found.rule, found.outcome) == ("rehearsal-cut-off", "unknown")

    def test_what_was_refused_while_it_ran_is_told_once(self) -> None:
        saw = replace(OK, refused=("program ls (r2.py, line 9)",))
        found = only(judged(saw))
        assert (found.rule, found.severity, found.outcome) == (
            "reaches-out-when-run",
            "CRITICAL",
            "unknown",
        )
        said = finding("reaches-out", outcome="unknown", severity="CRITICAL")
        assert "program ls" in only(judged(saw, said)).evidence


class TestEnriched:
    def test_what_could_only_be_read_is_told_with_its_rows(self) -> None:
        saw = replace(OK, sent=(sent("DELETE FROM t", rows=2), sent("DELETE FROM u", rows=None)))
        found = only(judged(saw, finding("row-changes", outcome="loses_data")))
        assert found.evidence == "seen; rehearsed: 2 statements, 2 rows"
        plain = replace(OK, sent=(sent("SELECT f()"),))
        told = only(judged(plain, finding("opaque", outcome="unknown")))
        assert told.evidence == "seen; rehearsed: 1 statement"
        nowhere = finding("opaque", outcome="unknown", line=None)
        assert judged(plain, nowhere) == (nowhere,)

    def test_what_blocks_others_is_told_with_an_estimate(self) -> None:
        shadow = replace(SAMPLE, sizes=(TableSize(table="users", rows=2000, target=20_000),))
        lock = (Lock(relation="users", mode="AccessExclusiveLock"),)
        saw = replace(OK, sent=(sent("ALTER TABLE users ...", locks=lock),))
        found = only(judged(saw, finding("rewrite", outcome="blocks"), shadow=shadow))
        assert "an estimate of 500 ms to 3.0 s on 20,000 rows" in found.evidence
        other = finding("rewrite", outcome="blocks", line=30)
        assert judged(saw, other, shadow=shadow) == (other,)


def test_that_nothing_was_rehearsed_is_a_line_with_what_to_do() -> None:
    answer = NotRehearsed(reason="no server", mend="Install one!")
    assert warning(answer) == "Not rehearsed: no server. Install one!"
    assert warning(NotRehearsed(reason="no server", mend="")) == "Not rehearsed: no server."
