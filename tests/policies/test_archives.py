"""What can be archived, what it costs, and how the rules see that it was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies import archives, rules
from rulezero_policies.archives import Archive, Wish
from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene

NAME = Column(name="name", type="VARCHAR(20)")
DROP_COLUMN = Operation(kind="drop_column", table="users", schema="s", column=NAME)
DROP_TABLE = Operation(kind="drop_table", table="logs")


def change(before: str, after: str) -> Operation:
    changes = (Change(attribute="type", before=before, after=after),)
    return Operation(kind="alter_column", table="users", column=NAME, changes=changes)


NARROW = change("VARCHAR(20)", "VARCHAR(10)")


def test_what_is_dropped_or_narrowed_can_be_archived_and_nothing_else() -> None:
    wide = change("VARCHAR(20)", "VARCHAR(30)")
    add = Operation(kind="add_column", table="users", column=NAME)
    found = archives.wishes((DROP_COLUMN, DROP_TABLE, NARROW, wide, add))
    assert found == (
        Wish(kind="column", table="users", schema="s", column="name"),
        Wish(kind="table", table="logs"),
        Wish(kind="narrowing", table="users", column="name"),
    )
    assert [w.subject for w in found] == ["s.users.name", "logs", "users.name"]


def fact(probe: Any, count: int | None, *, at_least: bool = False, **asked: Any) -> Fact:
    question = Question(probe=probe, **asked)
    return Fact(question="how many", count=count, at_least=at_least, asked=question)


@pytest.mark.parametrize(
    ("operation", "known", "dialect", "told"),
    [
        (DROP_COLUMN, 5, "sqlite", "s.users.name: 5 values with their keys are copied, about a se"),
        (DROP_COLUMN, 200_000, "sqlite", "copied, seconds to minutes"),
        (DROP_COLUMN, 20_000_000, "sqlite", "copied, minutes or more"),
        (DROP_COLUMN, None, "sqlite", "could not be counted"),
        (DROP_TABLE, 5, "sqlite", "logs: 5 rows are copied, about a second"),
        (DROP_TABLE, 5, "postgresql", "its 5 rows stay where they are"),
        (DROP_TABLE, None, "postgresql", "its rows stay where they are"),
        (NARROW, 5, "mysql", "what no longer fits, looked for in 5 rows"),
    ],
)
def test_the_cost_is_told_by_what_was_counted(
    operation: Operation, known: int | None, dialect: str, told: str
) -> None:
    facts = (
        fact("values", known, table="users", schema="s", column="name"),
        fact("rows", known, table="logs"),
        fact("rows", known, table="users"),
    )
    (line,) = archives.costs((operation,), facts, dialect)
    assert told in line


def test_a_count_that_was_cut_short_promises_no_time() -> None:
    many = fact("values", 100_000, at_least=True, table="users", schema="s", column="name")
    (line,) = archives.costs((DROP_COLUMN,), (many,), "sqlite")
    assert line.endswith("minutes or more")
    assert archives.costs((DROP_TABLE,), (), "postgresql")[0].startswith("logs: its rows stay")


def test_it_is_offered_where_it_is_not_taken_and_there_is_something() -> None:
    assert archives.offer((), taken=True) == archives.offer((), taken=False) == ()
    assert "archive=true" in archives.offer(("a: 1",), taken=False)[0]
    assert archives.offer(("a: 1",), taken=True)[1] == "a: 1"


def test_each_archive_is_named_with_what_it_holds() -> None:
    name = "rulezero_archive_ab12_1"
    made = (
        Archive(name=name, kind="column", table="users", column="name"),
        Archive(name=name, kind="table", table="users", schema="s"),
    )
    assert archives.lines(made, ("b is not archived: why.",)) == (
        f"users.name is archived in {name}",
        f"users (the whole table) is archived in s.{name}",
        "b is not archived: why.",
    )


def test_a_name_tells_an_archive_and_its_revision() -> None:
    assert archives.is_archive("rulezero_archive_ab12_1")
    for other in (None, "users", "rulezero_archive_1", 'rulezero_archive_a"_1'):
        assert not archives.is_archive(other)
    assert archives.revision_of("rulezero_archive_2024_01_x_12") == archives.stem("2024-01-X")
    assert archives.revision_of("users") == ""


COPY = "CREATE TABLE rulezero_archive_ab_1{key} AS SELECT id, name FROM users{where}"


def drop_of(scene: Scene) -> Any:
    return next(f for f in rules.review(scene) if f.rule == "drop-column")


@pytest.mark.parametrize(
    ("copy", "archived"),
    [
        (COPY.format(key="", where=""), True),
        (COPY.format(key="", where=" WHERE name IS NOT NULL"), True),
        (COPY.format(key=" (PRIMARY KEY (id))", where=""), True),
        (COPY.format(key="", where=" WHERE name > 'm'"), False),
        (COPY.format(key="", where="").replace("name", "mail"), False),
        (COPY.format(key="", where="").replace("FROM users", "FROM teams"), False),
        (COPY.format(key="", where="").replace("rulezero_archive_ab_1", "copy_1"), False),
        ("SELECT 1", False),
    ],
)
@pytest.mark.proves("D06")
def test_only_a_copy_of_every_value_is_an_archive(
    scene_of: Callable[..., Scene], copy: str, archived: bool
) -> None:
    up = f"op.execute({copy!r})\nop.drop_column('users', 'name')"
    back = "op.add_column('users', sa.Column('name', sa.String(20)))"
    source = revision(up, back)
    found = drop_of(scene_of(source, "sqlite"))
    # Whoever approves types the words all the same: whoever writes a revision lowers nothing.
    assert found.severity == "CRITICAL"
    assert (found.outcome == "design") is archived
    assert ("are archived in rulezero_archive_ab_1 before" in found.evidence) is archived


@pytest.mark.parametrize(
    ("dialect", "type_", "where", "archived"),
    [
        ("postgresql", "Numeric(12, 1)", "p <> CAST(p AS NUMERIC(12, 1))", True),
        ("postgresql", "Numeric(12, 1)", "p <> CAST(p AS NUMERIC(12, 2))", False),
        ("mysql", "Numeric(12, 1)", "p <> ROUND(p, 1)", True),
        ("mysql", "Numeric(12, 1)", "p <> ROUND(p, 2)", False),
    ],
)
@pytest.mark.proves("D06")
def test_what_a_narrowing_rounds_is_archived_only_by_its_own_condition(
    scene_of: Callable[..., Scene], dialect: str, type_: str, where: str, archived: bool
) -> None:
    copy = f"CREATE TABLE rulezero_archive_ab_1 AS SELECT id, p FROM prices WHERE {where}"
    alter = "op.alter_column('prices', 'p', existing_type=sa.{0}, type_=sa.{1})"
    wide = "Numeric(12, 4)"
    up = f"op.execute({copy!r})\n{alter.format(wide, type_)}"
    scene = scene_of(revision(up, alter.format(type_, wide)), dialect)
    asked: dict[str, Any] = {"table": "prices", "column": "p", "type": "NUMERIC(12, 1)"}
    facts = (fact("misfits", 0, **asked), fact("rounded", 3, **asked))
    found = next(f for f in rules.review(replace(scene, facts=facts)) if f.rule == "narrow")
    assert found.severity == "CRITICAL"
    assert (found.outcome == "design") is archived
    assert ("archived in rulezero_archive_ab_1 before" in found.evidence) is archived


TABLES = revision(
    "op.execute('CREATE TABLE rulezero_archive_ab_1 AS SELECT id, name FROM logs')\n"
    "op.drop_table('logs')\n"
    "op.rename_table('teams', 'rulezero_archive_ab_2')",
    "op.rename_table('rulezero_archive_ab_2', 'teams')\n"
    "op.create_table('logs', sa.Column('id', sa.Integer(), primary_key=True))",
)


def test_a_dropped_table_is_said_to_be_archived_by_copy_or_by_name(
    scene_of: Callable[..., Scene],
) -> None:
    found = {f.rule: f for f in rules.review(scene_of(TABLES, "sqlite"))}
    assert "archived in rulezero_archive_ab_1 before" in found["drop-table"].evidence
    assert "its archive: to the code it is dropped" in found["rename-live"].evidence


@pytest.mark.parametrize("fill", ["INSERT INTO logs (id) SELECT id FROM {0}", "SELECT 1 FROM {0}"])
def test_an_archive_that_was_put_back_is_told_from_one_that_is_lost(
    fill: str, scene_of: Callable[..., Scene]
) -> None:
    name = "rulezero_archive_ab_1"
    up = f"op.execute({fill.format(name)!r})\nop.drop_table({name!r})"
    source = revision(up, "pass")
    found = next(f for f in rules.review(scene_of(source, "sqlite")) if f.rule == "drop-table")
    assert ("is put back before" in found.evidence) is fill.startswith("INSERT")
