"""People read the coordinator's own words, with the real names in them."""

import dataclasses
from typing import Any

import pytest

from rulezero_policies.findings import Fact, Finding, Question
from rulezero_policies.judged import none
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.plan import Plan
from rulezero_policies.policy import DROP_PHRASE
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_policies.renames import Rename, RenameCandidate
from rulezero_policies.rules import review
from rulezero_policies.scene import Scene
from rulezero_policies.words import (
    applied_text,
    approval_request,
    critical_warnings,
    generation_question,
    needs_changes_question,
    own_warnings,
    proceed_anyway,
    rollback_command,
    undone_text,
    upgrade_command,
)


def add(name: str, **more: Any) -> Operation:
    return Operation(
        kind="add_column", table="tasks", column=Column(name=name, type="TEXT", **more)
    )


def drop(name: str, table: str = "users") -> Operation:
    return Operation(kind="drop_column", table=table, column=Column(name=name, type=""))


def retype(before: str | None, after: str) -> Operation:
    change = Change(attribute="type", before=before, after=after)
    column = Column(name="amount", type="TEXT")
    return Operation(kind="alter_column", table="orders", column=column, changes=(change,))


def judged(*operations: Operation, dialect: str = "postgresql") -> tuple[Finding, ...]:
    return review(Scene(dialect=dialect, stage="models", upgrade=operations))


def warned(*operations: Operation, dialect: str = "postgresql") -> tuple[str, ...]:
    return critical_warnings(judged(*operations, dialect=dialect), operations)


@pytest.mark.proves("A13", "A20")
def test_a_not_null_column_without_default_is_warned_of_in_the_coordinators_words() -> None:
    assert warned(add("priority", nullable=False)) == (
        (
            "WARNING: Adding NOT NULL column 'priority' without server_default.\n"
            "\n"
            "This WILL FAIL if the table has existing rows.\n"
            "\n"
            "Recommended fix:\n"
            "Option A: Add server_default in migration\n"
            "Option B: Make nullable first, backfill, then add constraint\n"
            "\n"
            "Proceed anyway? (Only if table is empty)"
        ),
    )


@pytest.mark.proves("A13", "A20")
def test_a_dropped_column_is_warned_of_in_the_coordinators_words() -> None:
    assert warned(drop("deprecated_field")) == (
        (
            "WARNING: Dropping column 'users.deprecated_field' will permanently delete data.\n"
            "\n"
            "This cannot be undone after migration is applied.\n"
            "\n"
            "Recommendations:\n"
            "1. Backup database before proceeding\n"
            "2. Verify no code references this column\n"
            "3. Consider soft-deprecation first\n"
            "\n"
            "Proceed? (Requires explicit 'yes, drop it')"
        ),
    )


@pytest.mark.proves("A13", "A20")
def test_a_type_change_is_warned_of_in_the_coordinators_words() -> None:
    assert warned(retype("VARCHAR(20)", "INTEGER")) == (
        (
            "WARNING: Changing 'orders.amount' from VARCHAR(20) to INTEGER.\n"
            "\n"
            "This may cause data loss or conversion errors.\n"
            "\n"
            "Safer approach:\n"
            "1. Add new column with new type\n"
            "2. Migrate data with conversion\n"
            "3. Verify data integrity\n"
            "4. Drop old column\n"
            "\n"
            "Use safer approach? (yes/no)"
        ),
    )


def test_a_type_that_is_not_stated_is_called_so() -> None:
    assert "from its present type to INTEGER" in warned(retype(None, "INTEGER"))[0]


def test_a_dropped_table_and_a_raw_drop_are_warned_of() -> None:
    raw = Operation(kind="execute", sql="DROP TABLE logs")
    (warning,) = warned(raw)
    assert warning.startswith("WARNING: Dropping table 'logs' will permanently delete data.")
    assert "Verify no code references this table" in warning


def test_mysql_is_not_said_to_fail_where_it_invents_values() -> None:
    (warning,) = warned(add("priority", nullable=False), dialect="mysql")
    assert "WILL INVENT values" in warning
    assert "WILL FAIL" not in warning


@pytest.mark.proves("A21")
@pytest.mark.parametrize(
    "operation", [add("notes"), add("priority", nullable=False, server_default="'medium'")]
)
def test_nothing_is_warned_of_where_nothing_was_found(operation: Operation) -> None:
    assert warned(operation) == ()


def test_a_name_cannot_hide_anything() -> None:
    assert "users.a<U+202E>b" in warned(drop("a\u202eb"))[0]


@pytest.mark.proves("A09", "A21")
def test_a_dangerous_change_stops_before_generation_in_the_coordinators_words() -> None:
    operation = drop("deprecated_field")
    assert generation_question(judged(operation), (operation,)) == (
        "CRITICAL: This will DELETE all data in deprecated_field.\n"
        "\n"
        "Before I generate this migration:\n"
        "1. Have you backed up the database?\n"
        "2. Are you sure no code references this column?\n"
        "\n"
        "Proceed with migration generation? (yes/no)"
    )


@pytest.mark.proves("A09")
def test_every_critical_finding_is_named_before_generation() -> None:
    operations = (
        Operation(kind="drop_table", table="logs"),
        Operation(kind="drop_index"),
        retype("TEXT", "INTEGER"),
    )
    text = generation_question(judged(*operations), operations)
    assert "CRITICAL: This will DELETE all data in logs." in text
    assert "CRITICAL: orders.amount: from TEXT to INTEGER" in text
    assert "no code references this table?" in text


@pytest.mark.proves("A09", "D07")
def test_what_may_be_a_rename_is_said_to_be_deleted_only_where_it_is_none() -> None:
    operations = (drop("mail"), drop("name"), Operation(kind="drop_table", table="teams"))
    renames = (
        Rename(kind="column", table="users", old="mail", new="email"),
        Rename(kind="table", table="teams", old="teams", new="groups"),
    )
    found = tuple(RenameCandidate(rename=r, score=90, evidence=()) for r in renames)
    assert generation_question(judged(*operations), operations, found).splitlines()[:3] == [
        "CRITICAL: This will DELETE all data in mail, unless it is a rename.",
        "CRITICAL: This will DELETE all data in name.",
        "CRITICAL: This will DELETE all data in teams, unless it is a rename.",
    ]


def test_the_approval_request_says_in_a_line_what_the_rehearsal_showed(plan: Plan) -> None:
    answer = NotRehearsed(reason="no server", mend="Install one.")
    asked = approval_request(dataclasses.replace(plan, rehearsal=none(answer)))
    assert "**Risk Level:** SAFE\n**Rehearsal:** none: no server. Install one.\n" in asked


@pytest.mark.proves("A12", "A20")
def test_the_approval_request_has_the_coordinators_form(plan: Plan) -> None:
    assert approval_request(plan) == (
        "## Migration Ready for Review\n"
        "\n"
        "**Description:** Drop old\n"
        "**File:** migrations/versions/b2.py\n"
        "**Risk Level:** SAFE\n"
        "\n"
        "### Changes\n"
        "- users.old: drop column old\n"
        "\n"
        "### Breaking Changes\n"
        "None detected\n"
        "\n"
        "### Recommended Actions Before Apply\n"
        "- [ ] Check that this is the database you mean: development, "
        "postgresql:localhost:5432/shop (7/16384)\n"
        "- [ ] Try the migration on a copy or a staging database\n"
        "\n"
        "### Rollback Command\n"
        "flask db downgrade a1\n"
        "\n"
        "---\n"
        "Should I apply this migration? (Reply: yes/no)"
    )


@pytest.mark.proves("A12")
def test_breaking_changes_and_the_words_to_type_are_in_the_request(plan: Plan) -> None:
    findings = (*judged(drop("old")), *judged(add("payload", server_default="x")))
    risky = dataclasses.replace(
        plan, findings=findings, risk="CRITICAL", phrases=("yes, drop it",), changes=()
    )
    text = approval_request(risky)
    assert "- No schema changes" in text
    assert (
        "- [CRITICAL] users.old: the values in users.old could not be counted (drop-column)" in text
    )
    assert "- [ ] Back up the database" in text
    assert "- [ ] Be ready to type: yes, drop it" in text


def test_a_matter_of_design_is_no_breaking_change(plan: Plan) -> None:
    column = Column(name="payload", type="JSON")
    operation = Operation(kind="add_column", table="tasks", column=column)
    designed = dataclasses.replace(plan, findings=judged(operation))
    assert "None detected" in approval_request(designed)


def test_a_rollback_is_asked_for_as_a_rollback(plan: Plan) -> None:
    back = dataclasses.replace(plan, kind="downgrade", rollback_command="flask db upgrade b2")
    text = approval_request(back)
    assert text.startswith("## Rollback Ready for Review")
    assert "### Command to Undo the Rollback\nflask db upgrade b2" in text
    assert text.endswith("Should I apply this rollback? (Reply: yes/no)")


@pytest.mark.proves("A14")
def test_issues_are_listed_with_a_fix_each_and_the_question_is_put() -> None:
    findings = judged(drop("old"), add("priority", nullable=False))
    lines = needs_changes_question(findings).splitlines()
    assert [line[:3] for line in lines if line[:1].isdigit()] == ["1. ", "2. "]
    assert sum(line.startswith("   Fix: ") for line in lines) == 2
    assert lines[-1] == "Should I fix these issues, or proceed anyway?"


@pytest.mark.proves("A14")
def test_a_yes_to_what_is_not_safe_says_that_it_proceeds_anyway(plan: Plan) -> None:
    assert proceed_anyway(plan) == ()
    findings = judged(drop("old"), add("priority", nullable=False))
    unsafe = dataclasses.replace(plan, findings=findings, verdict="UNSAFE")
    (text,) = proceed_anyway(unsafe)
    assert text.startswith("The review says UNSAFE: 2 issues as this stands.")
    assert "- [CRITICAL] users.old: drop-column" in text
    assert "A yes proceeds anyway" in text
    assert own_warnings(unsafe)[-1] == text
    one = dataclasses.replace(unsafe, findings=findings[:1])
    assert "1 issue as this stands" in proceed_anyway(one)[0]
    assert proceed_anyway(dataclasses.replace(unsafe, kind="generate")) == ()


@pytest.mark.proves("A16", "A20")
def test_after_apply_the_way_back_is_always_told() -> None:
    text = applied_text(current="b2", previous="a1", rollback_command="flask db downgrade a1")
    assert text == (
        "Migration applied successfully.\n"
        "\n"
        "To rollback if needed:\n"
        "flask db downgrade a1\n"
        "\n"
        "Current revision: b2\n"
        "Previous revision: a1"
    )


@pytest.mark.proves("A16")
def test_the_commands_are_those_of_the_projects_tool() -> None:
    assert rollback_command("flask-migrate", "a1") == "flask db downgrade a1"
    assert rollback_command("alembic", "base") == "alembic downgrade base"
    assert rollback_command("alembic", None).startswith("no one command leads back")
    assert upgrade_command("flask-migrate", "b2") == "flask db upgrade b2"
    assert upgrade_command("alembic", "b2") == "alembic upgrade b2"


@pytest.mark.proves("A20")
def test_a_command_that_moves_every_database_says_so() -> None:
    said = rollback_command("flask-migrate", "a1", bind="stock")
    assert said.startswith("flask db downgrade a1 (moves every database of the project;")
    assert "`rollback` with database='stock'" in said


@pytest.mark.proves("A16", "A20")
def test_a_rollback_is_called_one_and_gives_the_way_forward_again() -> None:
    command = upgrade_command("alembic", "b2")
    text = applied_text(current="a1", previous="b2", rollback_command=command, kind="downgrade")
    assert text.startswith("Rollback applied successfully.")
    assert "To undo it if needed:\nalembic upgrade b2" in text
    assert upgrade_command("flask-migrate", "b2") == "flask db upgrade b2"


@pytest.mark.proves("A18")
def test_undoing_what_a_failed_run_left_is_called_so(plan: Plan) -> None:
    text = approval_request(dataclasses.replace(plan, kind="undo"))
    assert text.startswith("## Undo Ready for Review")
    assert "### Command to Run the Migration Again" in text
    assert text.endswith("Should I apply this undo? (Reply: yes/no)")
    done = undone_text(current="a1", statements=("DROP TABLE items",))
    assert "is undone:\n- DROP TABLE items\n" in done
    assert done.endswith("Current revision: a1")


def test_the_actions_say_that_a_rollback_restores_no_data(plan: Any) -> None:
    text = approval_request(dataclasses.replace(plan, phrases=("yes, drop it",)))
    assert "never the data that was in it" in text
    assert "never the data" not in approval_request(dataclasses.replace(plan, phrases=()))


@pytest.mark.proves("D06")
def test_what_is_archived_is_not_said_to_be_lost_for_good(plan: Any) -> None:
    dropped = Finding(
        rule="drop-column",
        severity="CRITICAL",
        subject="users.old",
        evidence="archived before",
        outcome="design",
        fix="",
    )
    given = dataclasses.replace(plan, phrases=("yes, drop it",), findings=(dropped,))
    assert "never the data" not in approval_request(given)
    lost = dataclasses.replace(dropped, outcome="loses_data")
    assert "never the data" in approval_request(dataclasses.replace(given, findings=(lost,)))


def test_a_long_request_keeps_what_is_critical_and_counts_the_rest(plan: Any) -> None:
    change = plan.changes[0]
    mild = Finding(
        rule="narrow",
        severity="WARNING",
        subject="t.c",
        evidence="shorter",
        outcome="may_fail",
        fix="measure",
    )
    grave = dataclasses.replace(mild, severity="CRITICAL", subject="the grave one")
    long = dataclasses.replace(plan, changes=(change,) * 100, findings=(*(mild,) * 50, grave))
    text = approval_request(long)
    assert "- … and 60 more: have `get_plan`, section changes" in text
    assert "- … and 11 more: have `get_plan`, section findings" in text
    assert "[CRITICAL] the grave one" in text
    assert len(text.splitlines()) < 120


@pytest.mark.proves("A13")
def test_where_a_pin_is_given_the_warning_names_what_is_typed_there(plan: Plan) -> None:
    said = dataclasses.replace(plan, warnings=(f'Type "{DROP_PHRASE}" to go on.', "Nothing else."))
    drop = Finding(
        rule="drop-column",
        severity="CRITICAL",
        subject="users.old",
        evidence="12 values",
        outcome="loses_data",
        fix="keep it",
    )
    asked = Question(probe="rows", table="users")
    counted = dataclasses.replace(
        said,
        findings=(drop,),
        facts=(Fact(question="rows in users", count=12, asked=asked),),
    )
    assert own_warnings(counted) == ('Type "users 12" to go on.', "Nothing else.")
    assert own_warnings(said) == said.warnings


@pytest.mark.proves("A12")
def test_a_request_names_the_one_of_several_databases_that_it_is_for(plan: Plan) -> None:
    assert "**Database:**" not in approval_request(plan)
    text = approval_request(dataclasses.replace(plan, bind="stock"))
    assert "**Database:** stock (the project's other databases stay as they are)" in text
    assert f"stock of several: {plan.database.label}" in text
