"""Renames are proposed where the evidence speaks for it, and nowhere else."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.likeness import alike
from rulezero_policies.operations import Column, Constraint, Index, Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.references import ModelClass
from rulezero_policies.renames import (
    BAR,
    MOST,
    Rename,
    RenameCandidate,
    candidates,
    column_score,
)


def column(name: str, type_: str = "VARCHAR(50)", **more: Any) -> Column:
    return Column(name=name, type=type_, **more)


def drop(name: str, type_: str = "VARCHAR(50)", table: str = "users") -> Operation:
    return Operation(kind="drop_column", table=table, column=column(name, type_))


def add(name: str, type_: str = "VARCHAR(50)", table: str = "users") -> Operation:
    return Operation(kind="add_column", table=table, column=column(name, type_))


def ids(*operations: Operation) -> list[str]:
    return [c.rename.id for c in candidates(operations)]


@pytest.mark.proves("D07")
def test_a_name_that_is_part_of_the_new_one_is_proposed() -> None:
    assert ids(drop("name"), add("full_name")) == ["users.name -> full_name"]


@pytest.mark.parametrize(
    "steps",
    [
        (drop("deprecated"), add("colour")),
        (drop("name"), add("full_name", "INTEGER")),
        (drop("name"), add("full_name", table="people")),
        (drop("name"), add("name")),
        (drop("name"),),
        (add("name"),),
    ],
)
def test_below_the_bar_nothing_is_proposed(steps: tuple[Operation, ...]) -> None:
    assert ids(*steps) == []


def test_a_similar_type_counts_less_than_the_same() -> None:
    same = column_score(column("name"), column("full_name"))
    wider = column_score(column("name"), column("full_name", "VARCHAR(80)"))
    assert same >= BAR
    assert 0 < wider < same
    assert column_score(column("name"), column("full_name", "BYTEA")) == 0


def scored(live: list[str], model: list[str]) -> int:
    steps = (drop("code"), add("label"))
    table = LiveTable(table="users", columns=tuple(column(n) for n in live))
    classes = (ModelClass(name="U", table="users", attributes=tuple((n, n) for n in model)),)
    found = candidates(steps, (table,), classes)
    return found[0].score if found else 0


def test_the_place_in_the_table_counts_where_it_is_known() -> None:
    here = scored(["id", "code", "a"], ["id", "label", "a"])
    moved = scored(["id", "code", "a"], ["id", "a", "label"])
    assert here >= BAR > moved
    assert scored(["a"], ["label"]) >= BAR


@pytest.mark.proves("D07")
def test_an_index_that_is_made_again_speaks_for_a_rename() -> None:
    def indexed(kind: str, name: str) -> Operation:
        index = Index(name=f"ix_{name}", columns=("team", name))
        return Operation(kind=kind, table="users", index=index)  # type: ignore[arg-type]

    both = (drop("mail"), add("email"), indexed("drop_index", "mail"))
    with_it = candidates((*both, indexed("create_index", "email")))[0]
    without = candidates(both)
    assert "same indexes and constraints" in with_it.evidence
    assert without == () or without[0].score < with_it.score


@pytest.mark.proves("D07")
def test_what_a_database_writes_otherwise_is_the_same() -> None:
    """As MariaDB does: a unique constraint comes back as an index, and INTEGER with a width."""
    gone = Index(name="mail", columns=("mail",), unique=True)
    made = Constraint(kind="unique", columns=("email",))
    steps = (
        drop("mail", "INTEGER(11)"),
        add("email", "INTEGER"),
        Operation(kind="drop_index", table="users", index=gone),
        Operation(kind="create_constraint", table="users", constraint=made),
    )
    evidence = candidates(steps)[0].evidence
    assert {"same type", "same indexes and constraints"} <= set(evidence)
    before = tuple(column(name, "INTEGER(11)") for name in ("id", "size", "weight"))
    after = tuple(column(name, "INTEGER") for name in ("id", "size", "weight"))
    both = (
        Operation(kind="drop_table", table="teams", columns=before),
        Operation(kind="create_table", table="groups", columns=after),
    )
    assert ids(*both) == ["teams -> groups"]


def test_what_is_named_is_a_candidate_whatever_its_score_is_and_comes_first() -> None:
    steps = (drop("name"), add("full_name"), drop("deprecated"), add("colour"))
    name = "users.deprecated -> colour"
    found = candidates(steps, named=[name, "users.nothing -> colour"])
    assert [(c.rename.id, c.named, c.score >= BAR) for c in found] == [
        (name, True, False),
        ("users.name -> full_name", False, True),
    ]
    assert found[0].against == ("quite another name",)
    many = [drop("name"), *(add(f"name_{n}") for n in range(MOST + 3))]
    wanted = [f"users.name -> name_{n}" for n in range(MOST + 2)]
    assert len(candidates(many, named=wanted)) == MOST + 2
    same = ("id", "title", "size", "colour")
    kept = tuple(map(column, ("id", "title", "size", "weight", "kind")))
    tables = (
        Operation(kind="drop_table", table="teams", columns=tuple(map(column, same))),
        Operation(kind="create_table", table="clubs", columns=kept),
    )
    assert ids(*tables) == []
    assert candidates(tables, named=["teams -> clubs"])[0].held == "an unknown number of rows"


def test_a_foreign_key_follows_a_table_that_is_renamed() -> None:
    def key(kind: str, name: str, table: str) -> Operation:
        made = Constraint(
            kind="foreign_key", columns=(name,), referred_table=table, referred_columns=("id",)
        )
        return Operation(kind=kind, table="users", constraint=made)  # type: ignore[arg-type]

    columns = (column("id"), column("title"), column("size"))
    steps = (
        Operation(kind="drop_table", table="teams", columns=columns),
        Operation(kind="create_table", table="our_teams", columns=columns),
        drop("team_id"),
        add("our_team_id"),
        key("drop_constraint", "team_id", "teams"),
        key("create_constraint", "our_team_id", "our_teams"),
    )
    found = {c.rename.id: c for c in candidates(steps)}
    assert set(found) == {"teams -> our_teams", "users.team_id -> our_team_id"}
    assert "same indexes and constraints" in found["users.team_id -> our_team_id"].evidence


def tables(before: list[str], after: list[str], *, schema: str | None = None) -> list[str]:
    return ids(
        Operation(kind="drop_table", table="teams", columns=tuple(map(column, before))),
        Operation(
            kind="create_table", table="groups", schema=schema, columns=tuple(map(column, after))
        ),
    )


@pytest.mark.proves("D07")
def test_a_table_with_the_same_columns_is_proposed() -> None:
    same = ["id", "title", "size", "colour"]
    assert tables(same, same) == ["teams -> groups"]
    assert tables(same, same, schema="other") == []
    assert tables(same, ["id", "title", "kind", "weight"]) == []
    assert tables(["id", "title"], ["id", "title"]) == []


@pytest.mark.proves("D07")
def test_two_that_are_about_as_likely_are_said_to_be() -> None:
    found = candidates((drop("name"), add("full_name"), add("last_name")))
    assert [c.ambiguous for c in found] == [True, True]
    assert not candidates((drop("name"), add("full_name")))[0].ambiguous
    apart = candidates((drop("name"), add("full_name"), drop("size"), add("full_size")))
    assert [c.ambiguous for c in apart] == [False, False]


def test_no_more_are_proposed_than_a_person_can_weigh() -> None:
    steps = [drop("name"), *(add(f"name_{n}") for n in range(MOST + 2))]
    assert len(candidates(steps)) == MOST


def test_names_are_alike_by_their_letters_or_their_parts() -> None:
    assert alike("mail", "email") > 0.8
    assert alike("name", "full_name") >= 0.8
    assert alike("code", "label") < 0.5


def test_a_rename_has_an_id_and_the_line_to_paste() -> None:
    one = Rename(kind="column", table="users", old="mail", new="email")
    assert one.code == "op.alter_column('users', 'mail', new_column_name='email')"
    elsewhere = replace(one, schema="crm")
    assert elsewhere.id == "crm.users.mail -> email"
    assert elsewhere.code.endswith(", schema='crm')")
    table = Rename(kind="table", table="teams", old="teams", new="groups")
    assert (table.id, table.code) == ("teams -> groups", "op.rename_table('teams', 'groups')")
    assert RenameCandidate(rename=table, score=80, evidence=()).ambiguous is False
