"""The checklist, the strategy and the plain words."""

from typing import Any

import pytest

from rulezero_policies.checklist import (
    checklist,
    describe,
    foreign_key_order,
    indexes_worth_adding,
    pre_migration_checklist,
    strategy,
)
from rulezero_policies.findings import Finding, Outcome, Severity
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation
from rulezero_policies.rehearsal_rules import REHEARSAL_RULES
from rulezero_policies.risk import risk, verdict
from rulezero_policies.rules import RULES


def finding(
    rule: str,
    severity: Severity = "WARNING",
    outcome: Outcome = "design",
    evidence: str = "seen",
) -> Finding:
    return Finding(
        rule=rule, severity=severity, subject="t.c", evidence=evidence, outcome=outcome, fix="f"
    )


def key(column: str, table: str, **more: Any) -> Constraint:
    return Constraint(kind="foreign_key", columns=(column,), referred_table=table, **more)


def create(table: str, *constraints: Constraint, **more: Any) -> Operation:
    return Operation(kind="create_table", table=table, constraints=constraints, **more)


@pytest.mark.proves("A11")
def test_the_checklist_has_the_seven_lines_and_passes_without_findings() -> None:
    items = checklist(())
    assert [i.label for i in items] == [
        "Both upgrade() and downgrade() are implemented",
        "Downgrade properly reverses all upgrade changes",
        "server_default specified for NOT NULL columns",
        "Indexes dropped before columns in downgrade",
        "Foreign keys in correct order",
        "JSONB uses postgresql.JSONB type",
        "GIN indexes for JSONB columns",
    ]
    assert all(i.passed for i in items)


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("rule", "evidence", "failed"),
    [
        ("downgrade-missing", "", [0, 1]),
        ("downgrade-pass", "", [0, 1]),
        ("downgrade-raises", "", [0, 1]),
        ("downgrade-mismatch", "", [1]),
        ("unnamed-drop", "", [1]),
        ("not-null-without-default", "", [2]),
        ("mysql-implicit-default", "", [2]),
        ("downgrade-order", "index ix is dropped after its column", [3]),
        ("downgrade-order", "[1a2b] index ix is dropped after its column", [3]),
        ("downgrade-order", "constraint uq is dropped after its column", [3]),
        ("downgrade-order", "foreign key of tasks still refers to users", [4]),
        ("foreign-key-order", "foreign key to users", [4]),
        ("json-type", "", [5]),
        ("gin-index", "", [6]),
        ("drop-column", "", []),
    ],
)
def test_a_finding_fails_its_line_of_the_checklist(
    rule: str, evidence: str, failed: list[int]
) -> None:
    items = checklist([finding(rule, evidence=evidence)])
    assert [n for n, i in enumerate(items) if not i.passed] == failed


def test_the_checklist_knows_only_rules_that_exist() -> None:
    named = {rule for item in checklist(()) for rule in item.rules}
    assert named <= {rule.id for rule in (*RULES, *REHEARSAL_RULES)}


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ((), ("SAFE", "SAFE")),
        ((finding("a"),), ("WARNING", "NEEDS_CHANGES")),
        ((finding("a", "WARNING", "loses_data"),), ("WARNING", "NEEDS_CHANGES")),
        ((finding("a", "WARNING", "unknown"),), ("WARNING", "NEEDS_CHANGES")),
        ((finding("a", "CRITICAL", "design"),), ("CRITICAL", "NEEDS_CHANGES")),
        ((finding("a", "CRITICAL", "may_fail"),), ("CRITICAL", "NEEDS_CHANGES")),
        ((finding("a", "CRITICAL", "unknown"),), ("CRITICAL", "NEEDS_CHANGES")),
        ((finding("a"), finding("b", "CRITICAL", "will_fail")), ("CRITICAL", "UNSAFE")),
        ((finding("a", "CRITICAL", "loses_data"),), ("CRITICAL", "UNSAFE")),
        ((finding("a", "CRITICAL", "blocks"),), ("CRITICAL", "UNSAFE")),
    ],
)
def test_risk_is_the_worst_severity_and_the_verdict_follows_the_table(
    findings: tuple[Finding, ...], expected: tuple[str, str]
) -> None:
    assert (risk(findings), verdict(findings)) == expected


@pytest.mark.proves("A03")
@pytest.mark.parametrize(
    ("findings", "operations", "words"),
    [
        ((), (), "Nothing to migrate"),
        ((), (create("t"),), "Safe change"),
        ((finding("add-unique"),), (create("t"),), "Look for duplicates first."),
        ((finding("gin-index"),), (create("t"),), "Mend what the review found."),
        ((finding("type-change", "CRITICAL"),), (create("t"),), "Back up first. Then add a column"),
    ],
)
def test_a_strategy_is_recommended(
    findings: tuple[Finding, ...], operations: tuple[Operation, ...], words: str
) -> None:
    assert strategy(findings, operations).startswith(words)


@pytest.mark.proves("A03", "A04")
def test_a_critical_finding_puts_the_backup_first() -> None:
    actions = pre_migration_checklist([finding("drop-column", "CRITICAL")])
    assert actions[0] == "Back up the database"
    assert actions[1] == "Verify no code references what is dropped or renamed"
    assert "Back up the database" not in pre_migration_checklist([finding("add-unique")])


@pytest.mark.proves("A03")
def test_tables_come_in_the_order_that_foreign_keys_force() -> None:
    operations = (
        create("tasks", key("user_id", "users"), key("parent_id", "tasks")),
        create("users", key("team_id", "teams", referred_schema="hr")),
        Operation(kind="create_constraint", table="notes", constraint=key("task_id", "tasks")),
        Operation(kind="create_constraint", table="notes"),
        create("labels"),
    )
    assert foreign_key_order(operations) == (
        "hr.teams: before the tables that refer to it",
        "users: team_id refers to hr.teams",
        "tasks: user_id refers to users; parent_id refers to tasks",
        "notes: task_id refers to tasks",
    )


def test_tables_that_refer_to_each_other_are_still_listed() -> None:
    operations = (create("a", key("b_id", "b")), create("b", key("a_id", "a")))
    assert foreign_key_order(operations) == ("a: b_id refers to b", "b: a_id refers to a")


@pytest.mark.proves("A03")
def test_a_foreign_key_without_an_index_is_worth_one() -> None:
    tasks = create("tasks", key("user_id", "users"))
    assert indexes_worth_adding([tasks]) == (
        "tasks.user_id: an index for the foreign key (user_id)",
    )
    assert indexes_worth_adding([tasks], dialect="mysql") == ()


@pytest.mark.parametrize(
    "indexed",
    [
        Operation(
            kind="create_index", table="tasks", index=Index(name="ix", columns=("user_id", "b"))
        ),
        Operation(
            kind="add_column", table="tasks", column=Column(name="user_id", type="INT", unique=True)
        ),
        create("tasks", Constraint(kind="primary_key", columns=("user_id", "b"))),
        create("tasks", columns=(Column(name="user_id", type="INT", unique=True),)),
        Operation(
            kind="create_constraint",
            table="tasks",
            constraint=Constraint(kind="unique", columns=("user_id",)),
        ),
    ],
)
def test_a_foreign_key_with_an_index_needs_no_other(indexed: Operation) -> None:
    made = Operation(kind="create_constraint", table="tasks", constraint=key("user_id", "users"))
    assert indexes_worth_adding([made, indexed]) == ()


def _alter(attribute: Any, before: str | None, after: str | None) -> Operation:
    change = Change(attribute=attribute, before=before, after=after)
    return Operation(
        kind="alter_column", table="t", column=Column(name="c", type="INT"), changes=(change,)
    )


@pytest.mark.proves("A12")
@pytest.mark.parametrize(
    ("operation", "subject", "words"),
    [
        (
            Operation(kind="add_column", table="t", column=Column(name="c", type="TEXT")),
            "t.c",
            "add column c TEXT, nullable",
        ),
        (
            Operation(
                kind="add_column",
                table="t",
                schema="s",
                column=Column(
                    name="c", type="INT", nullable=False, server_default="1", unique=True
                ),
            ),
            "s.t.c",
            "add column c INT, NOT NULL, default 1, unique",
        ),
        (
            Operation(kind="drop_column", table="t", column=Column(name="c", type="")),
            "t.c",
            "drop column c, with any data in it",
        ),
        (create("t", columns=(Column(name="a", type="INT"),)), "t", "create table with a"),
        (create("t"), "t", "create table with no columns"),
        (Operation(kind="drop_table", table="t"), "t", "drop table, with any rows in it"),
        (Operation(kind="rename_table", table="t", name="u"), "t", "rename table to u"),
        (_alter("nullable", "true", "false"), "t.c", "set NOT NULL"),
        (_alter("nullable", "false", "true"), "t.c", "allow NULL"),
        (_alter("name", "c", "d"), "t.c", "rename column to d"),
        (_alter("server_default", None, "1"), "t.c", "change server default from none to 1"),
        (_alter("type", "INT", None), "t.c", "change type from INT to none"),
        (Operation(kind="alter_column", table="t"), "t", "alter column"),
        (
            Operation(
                kind="create_index",
                table="t",
                index=Index(name="ux", columns=("a", "b"), unique=True),
            ),
            "t",
            "create unique index ux on (a, b)",
        ),
        (
            Operation(kind="drop_index", index=Index(name=None)),
            "drop_index",
            "drop index (unnamed)",
        ),
        (
            Operation(kind="create_constraint", table="t", constraint=key("a", "u", name="fk")),
            "t",
            "add foreign key constraint fk on (a) to u",
        ),
        (
            Operation(
                kind="drop_constraint",
                table="t",
                constraint=Constraint(kind="check", expression="a > 0"),
            ),
            "t",
            "drop check constraint (unnamed): a > 0",
        ),
        (Operation(kind="execute", sql="SELECT\n 1"), "execute", "run SQL: SELECT 1"),
        (Operation(kind="execute"), "execute", "run SQL: "),
        (Operation(kind="bulk_insert", table="t"), "t", "insert rows"),
        (Operation(kind="table_comment", table="t"), "t", "change the table's comment"),
        (Operation(kind="opaque", name="x", detail="why"), "x", "not understood: why"),
        (Operation(kind="add_column", table="t"), "t", "not understood: add_column"),
    ],
)
def test_a_step_is_described_in_plain_words(operation: Operation, subject: str, words: str) -> None:
    change = describe(operation)
    assert (change.subject, change.description) == (subject, words)
