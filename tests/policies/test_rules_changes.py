"""What the rules say of a change, and how the counted facts decide."""

from typing import Any

import pytest

from rulezero_policies.findings import Fact, Finding, Outcome, Question, Severity
from rulezero_policies.operations import (
    Attribute,
    Change,
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Operation,
)
from rulezero_policies.rules import review
from rulezero_policies.scene import Scene, questions


def add(name: str, type_: str = "TEXT", table: str = "tasks", **more: Any) -> Operation:
    return Operation(kind="add_column", table=table, column=Column(name=name, type=type_, **more))


def drop(name: str, type_: str = "TEXT", table: str = "tasks") -> Operation:
    return Operation(kind="drop_column", table=table, column=Column(name=name, type=type_))


def alter(
    name: str, attribute: Attribute, before: str | None, after: str | None, table: str = "tasks"
) -> Operation:
    change = Change(attribute=attribute, before=before, after=after)
    column = Column(name=name, type="TEXT")
    return Operation(kind="alter_column", table=table, column=column, changes=(change,))


def constrain(kind: ConstraintKind, *columns: str, table: str = "tasks", **more: Any) -> Operation:
    given: dict[str, Any] = {"name": "c_1", **more}
    constraint = Constraint(kind=kind, columns=columns, **given)
    return Operation(kind="create_constraint", table=table, constraint=constraint)


def unconstrain(kind: ConstraintKind, name: str | None, *columns: str) -> Operation:
    constraint = Constraint(kind=kind, name=name, columns=columns)
    return Operation(kind="drop_constraint", table="tasks", constraint=constraint)


def create(table: str, *columns: str, **more: Any) -> Operation:
    made = tuple(Column(name=c, type="TEXT", primary_key=n == 0) for n, c in enumerate(columns))
    return Operation(kind="create_table", table=table, columns=made, **more)


def sql(text: str) -> Operation:
    return Operation(kind="execute", sql=text)


def counted(operations: tuple[Operation, ...], count: int | None) -> tuple[Fact, ...]:
    return tuple(Fact(question=q.probe, count=count, asked=q) for q in questions(operations))


def found(
    *operations: Operation, dialect: str = "postgresql", count: int | None = None, **more: Any
) -> tuple[Finding, ...]:
    facts = counted(operations, count)
    return review(Scene(dialect=dialect, stage="models", upgrade=operations, facts=facts, **more))


def told(findings: tuple[Finding, ...]) -> list[tuple[str, Severity, Outcome]]:
    return [(f.rule, f.severity, f.outcome) for f in findings]


# What is safe


@pytest.mark.proves("A06")
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mysql", "mariadb"])
@pytest.mark.parametrize(
    "operation",
    [
        add("notes"),
        add("priority", nullable=False, server_default="'medium'"),
        add("deleted_at", "TIMESTAMP"),
        add("is_deleted", "BOOLEAN", nullable=False, server_default="false"),
        add("total", "INTEGER", nullable=False, generated=True),
        add("id", "INTEGER", nullable=False, primary_key=True),
        add("number", "BIGSERIAL", nullable=False),
        create("labels", "id", "name"),
        Operation(kind="create_index", table="tasks", index=Index(name="ix_a", columns=("a",))),
        alter("notes", "nullable", "false", "false"),
        alter("notes", "server_default", None, "'x'"),
        alter("notes", "comment", None, "text"),
        Operation(kind="bulk_insert", table="tasks"),
    ],
    ids=lambda o: o.kind,
)
def test_a_safe_change_is_left_in_peace(operation: Operation, dialect: str) -> None:
    assert found(operation, dialect=dialect) == ()


@pytest.mark.proves("A06")
def test_whatever_is_done_to_a_table_of_the_same_plan_is_safe() -> None:
    new = create("labels", "id", "name", "old")
    on_it = (
        add("kind", table="labels", nullable=False),
        alter("name", "type", "TEXT", "INTEGER", table="labels"),
        alter("name", "nullable", "true", "false", table="labels"),
        alter("kind", "name", "kind", "sort", table="labels"),
        drop("old", table="labels"),
        constrain("unique", "name", table="labels"),
        Operation(kind="rename_table", table="labels", name="tags"),
        add("color", table="tags", nullable=False),
        Operation(kind="drop_table", table="tags"),
    )
    assert found(new, *on_it) == ()
    assert questions((new, *on_it)) == ()
    assert found(*on_it, earlier=(new,)) == ()


def test_a_table_that_is_dropped_and_made_again_is_dropped_first() -> None:
    gone = Operation(kind="drop_table", table="tasks")
    assert told(found(gone, create("tasks", "id"))) == [("drop-table", "CRITICAL", "loses_data")]


# NOT NULL without default


@pytest.mark.proves("A04", "A07")
@pytest.mark.parametrize(
    ("dialect", "count", "expected"),
    [
        ("postgresql", None, ("not-null-without-default", "CRITICAL", "may_fail")),
        ("postgresql", 3, ("not-null-without-default", "CRITICAL", "will_fail")),
        ("postgresql", 0, ("not-null-without-default", "WARNING", "design")),
        ("sqlite", 3, ("not-null-without-default", "CRITICAL", "will_fail")),
        ("sqlite", 0, ("not-null-without-default", "WARNING", "design")),
        ("mysql", 3, ("mysql-implicit-default", "CRITICAL", "design")),
        ("mariadb", None, ("mysql-implicit-default", "CRITICAL", "design")),
        ("mysql", 0, ("mysql-implicit-default", "WARNING", "design")),
    ],
)
def test_rows_decide_on_a_not_null_column_without_default(
    dialect: str, count: int | None, expected: Any
) -> None:
    findings = found(add("priority", nullable=False), dialect=dialect, count=count)
    assert told(findings) == [expected]
    assert findings[0].subject == "tasks.priority"
    words = {None: "could not be counted", 0: "is empty now", 3: "has 3 rows"}[count]
    assert words in findings[0].evidence


def test_a_default_of_null_is_no_default() -> None:
    assert found(add("priority", nullable=False, server_default="NULL"))


def test_a_default_in_python_is_told_apart() -> None:
    findings = found(add("priority", nullable=False, python_default=True))
    assert "Python-side default= is not seen" in findings[0].evidence


# Drops


@pytest.mark.proves("A04", "A07")
@pytest.mark.parametrize(
    ("count", "severity", "words"),
    [
        (None, "CRITICAL", "could not be counted"),
        (7, "CRITICAL", "7 values in tasks.old are deleted"),
        (1, "CRITICAL", "1 value in tasks.old is deleted"),
        (0, "WARNING", "it is empty now"),
    ],
)
def test_values_decide_on_a_dropped_column(count: int | None, severity: str, words: str) -> None:
    (finding,) = found(drop("old"), count=count)
    assert (finding.rule, finding.severity) == ("drop-column", severity)
    assert words in finding.evidence


@pytest.mark.proves("A04", "A07")
@pytest.mark.parametrize(
    ("count", "severity"), [(None, "CRITICAL"), (7, "CRITICAL"), (0, "WARNING")]
)
def test_rows_decide_on_a_dropped_table(count: int | None, severity: str) -> None:
    (finding,) = found(Operation(kind="drop_table", table="tasks"), count=count)
    assert (finding.rule, finding.severity) == ("drop-table", severity)


def test_a_count_that_stopped_at_its_bound_says_so() -> None:
    question = Question(probe="values", table="tasks", column="old")
    fact = Fact(question="values", count=100, at_least=True, asked=question)
    (finding,) = review(
        Scene(dialect="sqlite", upgrade=(drop("old"),), facts=(fact,), stage="models")
    )
    assert finding.evidence == "at least 100 values in tasks.old are deleted"


def test_a_renamed_column_is_counted_by_the_name_it_has_now() -> None:
    renamed = alter("old", "name", "old", "older")
    table = Operation(kind="rename_table", table="tasks", name="jobs")
    asked = questions((renamed, table, drop("older", table="jobs")))
    assert asked == (Question(probe="values", table="tasks", column="old"),)


def test_a_column_added_and_dropped_in_one_plan_loses_nothing() -> None:
    assert found(add("temporary"), drop("temporary")) == ()


def test_dropping_a_column_says_nothing_more_about_its_index_and_constraint() -> None:
    index = Index(name="ix_tasks_old", columns=("old",))
    dropped = Operation(kind="drop_index", table="tasks", index=index)
    findings = found(dropped, unconstrain("foreign_key", "fk_1", "old"), drop("old"))
    assert [f.rule for f in findings] == ["drop-column"]
    table = Operation(kind="drop_table", table="tasks")
    findings = found(dropped, unconstrain("unique", "uq_1"), table)
    assert [f.rule for f in findings] == ["drop-table"]


# Renames


@pytest.mark.proves("A04", "D07")
def test_a_drop_and_an_add_of_the_same_kind_look_like_a_rename() -> None:
    findings = found(add("full_name", "VARCHAR(100)"), drop("name", "VARCHAR(80)"), count=4)
    assert told(findings) == [
        ("drop-column", "CRITICAL", "loses_data"),
        ("rename-as-drop-add", "CRITICAL", "loses_data"),
    ]
    assert "full_name" in findings[1].evidence
    assert findings[1].subject == "tasks.name"


def test_a_dropped_column_of_unknown_type_may_have_been_renamed() -> None:
    rules = [f.rule for f in found(add("full_name", "VARCHAR(9)"), drop("name", ""))]
    assert rules == ["drop-column", "rename-as-drop-add"]


@pytest.mark.parametrize(
    ("added", "dropped"),
    [
        (add("due", "DATE"), drop("name", "VARCHAR(80)")),
        (add("full_name", table="users"), drop("name")),
        (add("name"), drop("name")),
    ],
)
def test_a_drop_and_an_add_that_have_nothing_in_common_are_no_rename(
    added: Operation, dropped: Operation
) -> None:
    assert [f.rule for f in found(dropped, added)] == ["drop-column"]


@pytest.mark.proves("A04")
def test_a_table_that_comes_back_under_another_name_looks_like_a_rename() -> None:
    columns = tuple(Column(name=n, type="TEXT") for n in ("id", "title", "done"))
    gone = Operation(kind="drop_table", table="tasks", columns=columns)
    findings = found(create("jobs", "id", "title", "done"), gone)
    assert [f.rule for f in findings] == ["drop-table", "rename-as-drop-add"]
    assert [f.rule for f in found(create("jobs", "id", "color"), gone)] == ["drop-table"]


@pytest.mark.proves("A04")
def test_a_rename_is_critical_for_running_code() -> None:
    renames = (
        alter("name", "name", "name", "full_name"),
        Operation(kind="rename_table", table="tasks", name="jobs"),
    )
    findings = found(*renames)
    assert told(findings) == [("rename-live", "CRITICAL", "design")] * 2
    assert found(alter("name", "name", "name", "name")) == ()


# Types


@pytest.mark.proves("A04", "A05")
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("VARCHAR(20)", "INTEGER", ("type-change", "CRITICAL", "may_fail")),
        ("TEXT", "DATE", ("type-change", "CRITICAL", "may_fail")),
        (
            "TIMESTAMP WITHOUT TIME ZONE",
            "TIMESTAMP WITH TIME ZONE",
            ("timezone-shift", "CRITICAL", "unknown"),
        ),
        ("ENUM('a','b')", "ENUM('a')", ("enum-remove", "CRITICAL", "may_fail")),
        ("CHAR(3)", "VARCHAR(3)", ("type-change", "CRITICAL", "may_fail")),
        ("INTEGER", "INTEGER UNSIGNED", ("type-change", "CRITICAL", "may_fail")),
        (None, "INTEGER", ("type-change", "CRITICAL", "may_fail")),
        ("INTEGER", "BIGINT", ("type-change", "WARNING", "blocks")),
        ("INTEGER", "NUMERIC", ("type-change", "WARNING", "blocks")),
        ("INTEGER", "NUMERIC(12, 2)", ("type-change", "WARNING", "blocks")),
        ("BIGINT", "NUMERIC(18)", ("narrow", "WARNING", "may_fail")),
        ("INTEGER", "NUMERIC(11, 2)", ("narrow", "WARNING", "may_fail")),
        ("SMALLINT UNSIGNED", "NUMERIC(12, 2)", ("type-change", "CRITICAL", "may_fail")),
        ("JSON", "JSONB", ("json-jsonb", "WARNING", "loses_data")),
        ("BIGINT", "INTEGER", ("narrow", "WARNING", "may_fail")),
        ("VARCHAR(255)", "VARCHAR(50)", ("narrow", "WARNING", "may_fail")),
        ("TEXT", "VARCHAR(50)", ("narrow", "WARNING", "may_fail")),
        ("NUMERIC(10, 2)", "NUMERIC(8, 2)", ("narrow", "WARNING", "may_fail")),
        ("NUMERIC(10, 2)", "NUMERIC(10, 4)", ("narrow", "WARNING", "may_fail")),
        ("NUMERIC", "NUMERIC(10, 2)", ("narrow", "WARNING", "may_fail")),
    ],
)
def test_a_type_change_is_classed_by_what_happens_to_the_values(
    before: str | None, after: str, expected: Any
) -> None:
    findings = tuple(f for f in found(alter("x", "type", before, after)) if f.rule != "gin-index")
    assert told(findings) == [expected]


@pytest.mark.proves("A05", "A06")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("VARCHAR(50)", "VARCHAR(255)"),
        ("VARCHAR(50)", "VARCHAR"),
        ("character varying(50)", "VARCHAR(50)"),
        ("VARCHAR(50)", "TEXT"),
        ("TEXT", "VARCHAR"),
        ("TIMESTAMP(3)", "TIMESTAMP"),
        ("NUMERIC(10, 2)", "NUMERIC(12, 2)"),
        ("NUMERIC(10, 2)", "NUMERIC(12, 4)"),
        ("DECIMAL(10, 2)", "NUMERIC"),
        ("INTEGER(11)", "INTEGER"),
        ("timestamp", "TIMESTAMP WITHOUT TIME ZONE"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("<odd>", "<odd>"),
    ],
)
def test_a_widening_or_another_spelling_is_no_finding(before: str, after: str) -> None:
    assert found(alter("x", "type", before, after)) == ()


@pytest.mark.proves("A07")
def test_a_type_change_of_an_empty_table_is_a_warning() -> None:
    assert told(found(alter("x", "type", "TEXT", "INTEGER"), count=0)) == [
        ("type-change", "WARNING", "design")
    ]


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("sqlite", "does not enforce"),
        ("mysql", "strict mode"),
        ("mariadb", "strict mode"),
        ("postgresql", "refused"),
    ],
)
def test_narrowing_says_what_the_database_does_with_long_values(dialect: str, words: str) -> None:
    (finding,) = found(alter("x", "type", "VARCHAR(9)", "VARCHAR(5)"), dialect=dialect)
    assert words in finding.evidence


# SET NOT NULL


@pytest.mark.proves("A07")
@pytest.mark.parametrize(
    ("dialect", "count", "expected"),
    [
        ("postgresql", None, [("set-not-null", "WARNING", "may_fail")]),
        ("postgresql", 2, [("set-not-null", "CRITICAL", "will_fail")]),
        ("mysql", 2, [("set-not-null", "CRITICAL", "may_fail")]),
        ("postgresql", 0, []),
    ],
)
def test_nulls_decide_on_set_not_null(dialect: str, count: int | None, expected: Any) -> None:
    findings = found(alter("x", "nullable", "true", "false"), dialect=dialect, count=count)
    assert told(findings) == expected


def test_set_not_null_names_rows_that_hold_null() -> None:
    question = Question(probe="nulls", table="tasks", column="x")
    fact = Fact(question="nulls", count=2, sample=("4", "9"), asked=question)
    operation = alter("x", "nullable", None, "false")
    (finding,) = review(
        Scene(dialect="sqlite", upgrade=(operation,), facts=(fact,), stage="models")
    )
    assert "2 rows that have NULL in tasks.x (keys: 4, 9)" in finding.evidence


def test_a_backfilled_new_column_may_be_set_not_null() -> None:
    steps = (add("x"), sql("UPDATE tasks SET x = 'a'"), alter("x", "nullable", "true", "false"))
    assert found(*steps) == ()
    assert found(steps[0], steps[2], count=0) == ()
    assert told(found(steps[0], steps[2], count=5)) == [("set-not-null", "CRITICAL", "will_fail")]
    assert [f.rule for f in found(steps[0], steps[2])] == ["set-not-null"]


def test_a_new_column_renamed_before_it_is_filled_still_holds_only_null() -> None:
    steps = (add("x"), alter("x", "name", "x", "y"), alter("y", "nullable", "true", "false"))
    assert told(found(*steps, count=5)) == [("set-not-null", "CRITICAL", "will_fail")]


def test_a_step_that_is_not_understood_may_have_filled_a_column() -> None:
    dark = Operation(kind="opaque", detail="helper()")
    findings = found(add("x"), dark, alter("x", "nullable", "true", "false"), count=5)
    assert [f.rule for f in findings] == ["opaque"]


# Constraints


@pytest.mark.proves("A05")
@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (
            constrain("foreign_key", "user", referred_table="users", referred_columns=("id",)),
            "add-foreign-key",
        ),
        (constrain("unique", "email"), "add-unique"),
        (constrain("primary_key", "id"), "add-primary-key"),
        (constrain("exclude"), "add-unique"),
        (
            Operation(
                kind="create_index",
                table="tasks",
                index=Index(name="ux", columns=("email",), unique=True),
            ),
            "add-unique",
        ),
        (constrain("check", expression="x > 0"), "add-check"),
    ],
)
@pytest.mark.parametrize(("count", "expected"), [(4, "CRITICAL"), (None, "WARNING")])
def test_a_condition_on_existing_rows_is_judged_by_the_rows(
    operation: Operation, rule: str, count: int | None, expected: str
) -> None:
    finding = found(operation, count=count)[0]
    # What an exclusion constraint forbids is nothing that can be counted.
    severity = "WARNING" if "exclusion" in finding.evidence else expected
    assert (finding.rule, finding.severity) == (rule, severity)
    assert found(operation, count=0) == ()


def test_a_condition_is_about_its_columns() -> None:
    (finding,) = found(constrain("unique", "team", "name"))
    assert finding.subject == "tasks.team, name"
    assert finding.evidence.startswith("unique constraint on team, name over existing rows")


@pytest.mark.parametrize(
    "operation",
    [
        constrain("foreign_key", "x", referred_table="users"),
        constrain("unique", "x"),
        constrain("check", expression="x BETWEEN 1 AND 9 AND length(x) > 'y z'"),
    ],
)
def test_a_condition_on_a_new_empty_column_is_no_finding(operation: Operation) -> None:
    assert found(add("x"), operation) == ()
    assert found(add("x"), sql("UPDATE tasks SET x = 1"), operation) != ()


@pytest.mark.parametrize("expression", ["x > 0 AND y > 0", "x IS NOT NULL", ""])
def test_a_check_that_an_empty_column_can_break_is_a_finding(expression: str) -> None:
    findings = found(add("x"), constrain("check", expression=expression))
    assert [f.rule for f in findings] == ["add-check"]


@pytest.mark.proves("A05")
def test_a_changed_check_is_called_changed() -> None:
    steps = (unconstrain("check", "c_1"), constrain("check", expression="x > 1"))
    (finding,) = found(*steps)
    assert (finding.rule, "is changed" in finding.evidence) == ("add-check", True)


@pytest.mark.proves("A04")
@pytest.mark.parametrize(
    ("kind", "name"),
    [("foreign_key", None), ("foreign_key", "x"), ("unknown", "tasks_user_id_fkey")],
)
def test_a_removed_foreign_key_is_critical(kind: ConstraintKind, name: str | None) -> None:
    findings = found(unconstrain(kind, name))
    assert ("drop-foreign-key", "CRITICAL", "design") in told(findings)


@pytest.mark.parametrize("kind", ["unique", "check", "primary_key", "unknown"])
def test_another_removed_constraint_is_a_warning(kind: ConstraintKind) -> None:
    assert told(found(unconstrain(kind, "x"))) == [("drop-constraint", "WARNING", "design")]


def test_a_foreign_key_that_is_only_replaced_is_neither_removed_nor_added() -> None:
    old = Constraint(kind="foreign_key", name="a", columns=("user_id",), referred_table="users")
    dropped = Operation(kind="drop_constraint", table="tasks", constraint=old)
    new = constrain("foreign_key", "user_id", name="b", referred_table="users")
    assert found(dropped, new) == ()
    elsewhere = constrain("foreign_key", "user_id", name="b", referred_table="people")
    assert [f.rule for f in found(dropped, elsewhere)] == ["add-foreign-key"]


def test_a_dropped_index_is_a_warning_unless_it_is_replaced() -> None:
    index = Index(name="ix", columns=("a",))
    dropped = Operation(kind="drop_index", table="tasks", index=index)
    assert told(found(dropped)) == [("drop-index", "WARNING", "design")]
    wider = Operation(
        kind="create_index", table="tasks", index=Index(name="ix2", columns=("a", "b"))
    )
    assert found(wider, dropped) == ()
    loose = Operation(kind="drop_index", index=Index(name=None))
    assert found(loose)[0].subject == "(unnamed)"
    assert (
        found(create("labels", "a"), Operation(kind="drop_index", table="labels", index=index))
        == ()
    )


@pytest.mark.proves("A11")
def test_a_constraint_without_a_name_cannot_be_dropped() -> None:
    findings = found(unconstrain("unique", None))
    assert ("unnamed-drop", "CRITICAL", "will_fail") in told(findings)


def test_batch_mode_needs_a_name_already_to_create() -> None:
    constraint = Constraint(kind="foreign_key", columns=("x",), referred_table="users")
    made = Operation(kind="create_constraint", table="tasks", constraint=constraint, batch=True)
    rules = {f.rule for f in found(made, dialect="sqlite")}
    assert "unnamed-drop" in rules
    assert "unnamed-drop" not in {f.rule for f in found(made)}


# Order, JSON


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("dialect", "expected"), [("postgresql", "CRITICAL"), ("sqlite", "WARNING")]
)
def test_a_foreign_key_before_its_table_is_found(dialect: str, expected: str) -> None:
    key = Constraint(kind="foreign_key", columns=("user_id",), referred_table="users")
    child = create("tasks", "id", "user_id", constraints=(key,))
    (finding,) = found(child, create("users", "id"), dialect=dialect)
    assert (finding.rule, finding.severity) == ("foreign-key-order", expected)
    assert found(create("users", "id"), child, dialect=dialect) == ()


def test_a_table_may_refer_to_itself() -> None:
    key = Constraint(kind="foreign_key", columns=("parent_id",), referred_table="tasks")
    assert found(create("tasks", "id", "parent_id", constraints=(key,))) == ()


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    "operation",
    [
        add("payload", "JSON"),
        alter("payload", "type", "TEXT", "JSON"),
        Operation(
            kind="create_table", table="logs", columns=(Column(name="payload", type="JSON"),)
        ),
    ],
)
def test_json_on_postgresql_should_be_jsonb(operation: Operation) -> None:
    assert "json-type" in {f.rule for f in found(operation)}
    assert "json-type" not in {f.rule for f in found(operation, dialect="sqlite")}


@pytest.mark.proves("A11")
def test_a_jsonb_column_wants_a_gin_index() -> None:
    new = add("payload", "JSONB")
    assert [f.rule for f in found(new)] == ["gin-index"]
    plain = Index(name="ix", columns=("payload",))
    gin = Index(name="ix", columns=("payload jsonb_path_ops",), method="GIN")
    made = [Operation(kind="create_index", table="tasks", index=i) for i in (plain, gin)]
    assert [f.rule for f in found(new, made[0])] == ["gin-index"]
    assert found(new, made[1]) == ()
    assert found(new, sql("CREATE INDEX ix ON tasks USING gin (payload)")) == ()
    assert found(new, dialect="mysql") == ()


# The stages


def test_a_model_diff_is_not_asked_for_a_downgrade() -> None:
    silent: dict[str, Any] = {
        "has_downgrade": False,
        "downgrade_error": "NotImplementedError",
        "downgrade_is_empty": True,
        "app_imports": (("app.models", 1),),
    }
    assert found(add("notes"), **silent) == ()


def test_a_rollback_is_judged_by_what_it_loses_not_by_how_it_looks() -> None:
    index = Index(name="ix", columns=("a",))
    steps = (
        Operation(kind="drop_index", table="tasks", index=index),
        drop("payload"),
        add("document", "JSON"),
    )
    scene = Scene(dialect="postgresql", stage="rollback", upgrade=steps)
    assert [f.rule for f in review(scene)] == ["drop-column"]


def test_nothing_hidden_or_secret_gets_into_a_finding() -> None:
    dark = Operation(kind="opaque", detail="dsn=postgresql://ann:s3cret@db/x \u202e")
    (finding,) = found(dark)
    assert "s3cret" not in finding.evidence
    assert "<U+202E>" in finding.evidence


def test_critical_findings_come_first() -> None:
    findings = found(add("payload", "JSON"), drop("old", "DATE"))
    assert [f.severity for f in findings] == ["CRITICAL", "WARNING"]


def test_facts_are_found_by_table_and_column() -> None:
    asked = (
        Question(probe="rows", table="t"),
        Question(probe="values", table="t", column="c"),
        Question(probe="nulls", table="t", column="c"),
    )
    facts = tuple(Fact(question=q.probe, count=1, asked=q) for q in asked)
    scene = Scene(dialect="sqlite", facts=facts)
    assert [scene.rows("t"), scene.values("t", "c"), scene.nulls("t", "c")] == list(facts)
    assert scene.rows("other") is None


def test_each_question_is_asked_once() -> None:
    steps = (add("a", nullable=False), constrain("unique", "b"), alter("c", "type", "TEXT", "DATE"))
    assert questions((*steps, *steps)) == (
        Question(probe="rows", table="tasks"),
        Question(probe="duplicates", table="tasks", columns=("b",)),
        Question(probe="uncastable", table="tasks", column="c", type="DATE"),
    )
    null = (alter("x", "nullable", "true", "false"), Operation(kind="drop_table", table="logs"))
    assert questions(null) == (
        Question(probe="nulls", table="tasks", column="x"),
        Question(probe="rows", table="logs"),
    )


# Values that were taken over before the column goes


def copied(text: str) -> list[tuple[str, str, str]]:
    new = add("full_name", "VARCHAR(20)", nullable=True)
    steps = (new, sql(text), drop("name", "VARCHAR(20)"))
    findings = found(*steps, count=3)
    rules = {"drop-column", "rename-as-drop-add"}
    return [(f.rule, f.outcome, f.evidence.partition("; ")[2]) for f in findings if f.rule in rules]


@pytest.mark.proves("A04", "D07")
@pytest.mark.parametrize(
    "text",
    [
        "UPDATE tasks SET full_name = name",
        "UPDATE tasks AS t SET full_name = t.name",
        "UPDATE tasks SET full_name = CAST(name AS VARCHAR(20)) WHERE name IS NOT NULL",
        "UPDATE tasks SET full_name = name WHERE NOT name IS NULL",
        "UPDATE tasks SET full_name = name WHERE full_name IS NULL",
    ],
)
def test_values_that_an_update_took_over_are_not_lost_and_it_is_no_rename(text: str) -> None:
    assert copied(text) == [("drop-column", "design", "all of them are in full_name before")]


@pytest.mark.proves("A04")
@pytest.mark.parametrize(
    "text",
    [
        "UPDATE tasks SET full_name = upper(name)",
        "UPDATE tasks SET full_name = name WHERE id < 10",
        "UPDATE tasks SET full_name = name WHERE name IS NULL",
        "UPDATE tasks SET full_name = name WHERE full_name IS NOT NULL",
        "UPDATE tasks SET full_name = name WHERE NOT full_name IS NULL",
    ],
)
def test_values_that_were_changed_or_left_out_on_the_way_are_lost(text: str) -> None:
    words = "what an UPDATE made of them is in full_name before"
    assert copied(text) == [("drop-column", "loses_data", words)]


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE tasks SET full_name = 'none'",
        "UPDATE jobs SET full_name = name",
        "UPDATE tasks SET full_name = o.name FROM others o WHERE o.id = tasks.id",
        "INSERT INTO tasks (name) VALUES ('x')",
    ],
)
def test_an_update_of_something_else_takes_nothing_over(text: str) -> None:
    assert [rule for rule, _, _ in copied(text)] == ["drop-column", "rename-as-drop-add"]


def test_what_is_taken_over_into_a_column_that_goes_too_is_lost() -> None:
    steps = (
        add("old_name", "VARCHAR(20)"),
        sql("UPDATE tasks SET old_name = name"),
        drop("name", "VARCHAR(20)"),
        add("name", "TEXT", nullable=True),
        drop("old_name", "VARCHAR(20)"),
    )
    outcomes = [(f.rule, f.outcome) for f in found(*steps, count=3)]
    assert ("drop-column", "loses_data") in outcomes
    assert "rename-as-drop-add" not in {rule for rule, _ in outcomes}
