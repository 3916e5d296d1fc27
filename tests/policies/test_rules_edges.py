"""What few revisions do, and what the rules say of it all the same."""

from rulezero_policies import checklist, rules
from rulezero_policies.column_types import assignable
from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Column, Constraint, Operation
from rulezero_policies.scene import Scene

FILLED = Fact(question="rows in codes", count=3, asked=Question(probe="rows", table="codes"))


def found(*operations: Operation, dialect: str) -> dict[str, str]:
    """What the rules find, by rule."""
    scene = Scene(dialect=dialect, upgrade=operations, facts=(FILLED,))
    return {finding.rule: finding.evidence for finding in rules.review(scene)}


def added(**more: object) -> Operation:
    column = Column(name="code", type="INTEGER")
    for name, value in more.items():
        object.__setattr__(column, name, value)
    return Operation(kind="add_column", table="codes", column=column)


def test_a_primary_key_on_a_column_that_holds_only_nulls_is_named() -> None:
    key = Constraint(kind="primary_key", name="pk", columns=("code",))
    makes = Operation(kind="create_constraint", table="codes", constraint=key)
    said = found(added(nullable=True), makes, dialect="postgresql")
    assert "only NULL" in said["add-primary-key"]


def test_sqlite_adds_no_primary_key_column() -> None:
    said = found(added(primary_key=True), dialect="sqlite")
    assert "PRIMARY KEY column cannot be added" in said["sqlite-add-column"]


def test_sqlite_adds_no_foreign_key_column_with_a_default() -> None:
    key = Constraint(
        kind="foreign_key",
        name="fk",
        columns=("code",),
        referred_table="t",
        referred_columns=("i",),
    )
    makes = Operation(kind="create_constraint", table="codes", constraint=key)
    said = found(added(nullable=True, server_default="1"), makes, dialect="sqlite")
    assert "foreign-key column cannot be added with a default" in said["sqlite-add-column"]


def test_whether_types_nobody_knows_convert_is_not_known() -> None:
    assert assignable("POINT", "MONEY") is None


def test_a_statement_of_its_own_is_described_by_its_verb_and_name() -> None:
    said = checklist.describe(Operation(kind="statement", verb="REFRESH", name="totals"))
    assert said.description == "REFRESH totals"
