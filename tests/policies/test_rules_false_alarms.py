"""What public histories of revisions do and nothing is wrong with; each was a false alarm once."""

from typing import Any

import pytest

from rulezero_policies.findings import Finding
from rulezero_policies.operations import (
    Change,
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Operation,
)
from rulezero_policies.rules import review
from rulezero_policies.scene import Scene

pytestmark = pytest.mark.proves("A06", "A22")


def add(name: str, type_: str = "TEXT", **more: Any) -> Operation:
    return Operation(kind="add_column", table="tasks", column=Column(name=name, type=type_, **more))


def drop(name: str, type_: str = "TEXT") -> Operation:
    return Operation(kind="drop_column", table="tasks", column=Column(name=name, type=type_))


def rename(old: str, new: str) -> Operation:
    change = Change(attribute="name", before=old, after=new)
    column = Column(name=old, type="TEXT")
    return Operation(kind="alter_column", table="tasks", column=column, changes=(change,))


def change_type(before: str, after: str) -> Operation:
    change = Change(attribute="type", before=before, after=after)
    column = Column(name="code", type=before)
    return Operation(kind="alter_column", table="tasks", column=column, changes=(change,))


def constrain(kind: ConstraintKind, name: str | None, *columns: str, **more: Any) -> Operation:
    made = Constraint(kind=kind, name=name, columns=columns, **more)
    return Operation(kind="create_constraint", table="tasks", constraint=made)


def unconstrain(name: str | None, kind: ConstraintKind = "unknown") -> Operation:
    made = Constraint(kind=kind, name=name)
    return Operation(kind="drop_constraint", table="tasks", constraint=made)


def sql(text: str) -> Operation:
    return Operation(kind="execute", sql=text)


def said(*upgrade: Operation, **more: Any) -> set[str]:
    return {f.rule for f in findings(*upgrade, **more)}


def findings(
    *upgrade: Operation, downgrade: tuple[Operation, ...] = (), **more: Any
) -> tuple[Finding, ...]:
    return review(Scene(dialect="postgresql", upgrade=upgrade, downgrade=downgrade, **more))


# casts that a type of an extension brings with it


@pytest.mark.parametrize("type_", ["CITEXT", "GEOMETRY", "geography"])
def test_a_text_becomes_a_type_that_an_extension_lets_it_be(type_: str) -> None:
    assert "cast" not in said(change_type("VARCHAR(20)", type_))


@pytest.mark.parametrize("type_", ["HSTORE", "mood"])
def test_a_text_becomes_no_other_type_by_itself(type_: str) -> None:
    assert "cast" in said(change_type("VARCHAR(20)", type_))


# updates that only fill what is NULL


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE tasks SET a = COALESCE(a, ''), b = COALESCE(b, 0)",
        "UPDATE tasks SET a = '' WHERE kind = 'x' AND a IS NULL",
        "UPDATE tasks SET a = '', b = 1 WHERE (a IS NULL AND (b IS NULL))",
        "UPDATE tasks SET a = COALESCE(a, '') WHERE kind = 'x'",
    ],
)
def test_an_update_that_only_fills_nulls_overwrites_nothing(text: str) -> None:
    assert not said(sql(text)) & {"dml-without-where", "row-changes"}


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE tasks SET a = COALESCE(b, '')",
        "UPDATE tasks SET a = COALESCE(a, ''), b = 1",
        "UPDATE tasks SET a = '' WHERE a IS NULL OR kind = 'x'",
        "UPDATE tasks SET a = '' WHERE b IS NULL",
        "UPDATE tasks SET a = '', b = 1 WHERE a IS NULL",
        "UPDATE tasks SET a = '' WHERE a IS NOT NULL",
        "UPDATE tasks SET (a, b) = ('', 1)",
    ],
)
def test_an_update_that_may_hit_a_value_is_said_to(text: str) -> None:
    assert said(sql(text)) & {"dml-without-where", "row-changes", "opaque"}


def test_nulls_that_are_filled_in_part_may_still_refuse_not_null() -> None:
    change = Change(attribute="nullable", before="true", after="false")
    column = Column(name="a", type="TEXT")
    required = Operation(kind="alter_column", table="tasks", column=column, changes=(change,))
    part = sql("UPDATE tasks SET a = '' WHERE a IS NULL AND kind = 'x'")
    assert "set-not-null" in said(part, required)


# what is dropped and made again under a name that the database chose


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tasks_pkey", constrain("primary_key", None, "new_id")),
        ("pk_tasks", constrain("primary_key", None, "id")),
        ("tasks_user_id_fkey", constrain("foreign_key", None, "user_id", referred_table="users")),
        ("fk_tasks_user_id", constrain("foreign_key", None, "user_id", referred_table="users")),
        (
            "fk_tasks_user_id_users",
            constrain("foreign_key", None, "user_id", referred_table="users"),
        ),
        ("tasks_a_b_key", constrain("unique", None, "a", "b")),
        ("uq_tasks_a_b", constrain("unique", None, "a", "b")),
    ],
)
def test_a_constraint_made_again_without_a_name_is_not_lost(old: str, new: Operation) -> None:
    assert not said(unconstrain(old), new) & {"drop-constraint", "drop-foreign-key"}


def test_another_constraint_does_not_stand_in_for_a_lost_one() -> None:
    key = constrain("foreign_key", None, "team_id", referred_table="teams")
    assert "drop-foreign-key" in said(unconstrain("tasks_user_id_fkey"), key)
    check = constrain("check", None, expression="a > 0")
    assert "drop-constraint" in said(unconstrain("tasks_a_key"), check)


def test_a_nameless_drop_takes_back_the_key_and_not_an_index() -> None:
    index = Operation(kind="create_index", table="tasks", index=Index(name="i", columns=("u",)))
    unindex = Operation(kind="drop_index", table="tasks", index=Index(name="i"))
    key = constrain("foreign_key", None, "u", referred_table="users")
    back = (unconstrain(None, "foreign_key"), unindex)
    assert "downgrade-mismatch" not in said(index, key, downgrade=back)


# a type that nothing uses any more


def test_dropping_a_type_is_left_to_the_database_to_refuse() -> None:
    assert "drop-object" not in said(sql("DROP TYPE mood"))
    assert "drop-object" in said(sql("DROP FUNCTION mood()"))


# columns that are replaced on purpose


def test_a_column_that_takes_the_name_of_the_dropped_one_was_made_to_replace_it() -> None:
    steps = (add("new_user_id", "UUID"), drop("user_id"), rename("new_user_id", "user_id"))
    assert "rename-as-drop-add" not in said(*steps)
    other = (add("new_name"), drop("name"), rename("new_name", "title"))
    assert "rename-as-drop-add" in said(*other)


def test_a_key_that_an_update_looks_up_by_the_old_value_is_no_rename() -> None:
    fill = "UPDATE tasks SET user_id = u.id FROM users u WHERE tasks.user_name = u.name"
    steps = (add("user_id"), sql(fill), drop("user_name"))
    assert "rename-as-drop-add" not in said(*steps)
    assert ("drop-column", "loses_data") in {(f.rule, f.outcome) for f in findings(*steps)}


# a CHECK that lets more through


@pytest.mark.parametrize(
    ("old", "new", "silent"),
    [
        ("type IN ('a', 'b')", "type IN ('b', 'a', 'c')", True),
        ("(type = ANY (ARRAY[1, 2]))", "(type = ANY (ARRAY[1, 2, 3]))", True),
        ("type = ANY (ARRAY['a'::text, 'b'::text])", "type in ('a', 'b', 'c')", True),
        ("type IN ('a', 'b')", "type IN ('a', 'c')", False),
        ("kind IN ('a')", "type IN ('a', 'b')", False),
        ("type > 0", "type IN (1, 2)", False),
        ("type IN (1, 2)", "type IN (1, 2) AND size > 0", False),
    ],
)
def test_a_check_that_lets_more_of_the_same_values_through_refuses_none(
    old: str, new: str, *, silent: bool
) -> None:
    wider = constrain("check", "ck", expression=new)
    back = (unconstrain("ck", "check"), constrain("check", "ck", expression=old))
    rules = said(unconstrain("ck", "check"), wider, downgrade=back)
    assert ("add-check" not in rules) == silent


def test_a_new_column_that_refers_to_another_table_is_no_new_name_of_a_text() -> None:
    key = constrain("foreign_key", None, "description_id", referred_table="descriptions")
    steps = (add("description_id"), key, drop("description"))
    assert "rename-as-drop-add" not in said(*steps)
    assert "rename-as-drop-add" in said(unconstrain("tasks_description_fkey"), *steps)
    assert "rename-as-drop-add" in said(add("description_id"), drop("description"))


# what goes with a column


def test_a_check_and_an_index_that_read_a_dropped_column_go_with_it() -> None:
    expression = Index(name="i", columns=("lower(nickname)",))
    index = Operation(kind="create_index", table="tasks", index=expression)
    check = constrain("check", "ck", expression="nickname <> '' OR size > 0")
    up = (add("nickname"), check, index)
    assert "downgrade-mismatch" not in said(*up, downgrade=(drop("nickname"),))
    other = constrain("check", "ck", expression="nick <> ''")
    assert "downgrade-mismatch" in said(add("nickname"), other, downgrade=(drop("nickname"),))
