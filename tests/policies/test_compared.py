"""Two catalogues are held against each other: what differs is said once, in words."""

import pytest

from rulezero_policies.compared import differences
from rulezero_policies.rehearsal import Thing, ThingKind

USERS = Thing(kind="table", name="users", definition="permanent")


def column(name: str, position: int, definition: str = "integer", table: str = "users") -> Thing:
    return Thing(kind="column", name=name, table=table, definition=definition, position=position)


def of_users(kind: ThingKind, name: str, definition: str) -> Thing:
    return Thing(kind=kind, name=name, table="users", definition=definition)


def told(before: tuple[Thing, ...], after: tuple[Thing, ...]) -> list[str]:
    return [d.text for d in differences(before, after)]


ID, EMAIL, NAME = column("id", 1), column("email", 2, "varchar(50) NOT NULL"), column("name", 3)
INDEX = of_users("index", "ix_users_email", "CREATE INDEX ON users (email)")
FULL = (USERS, ID, EMAIL, NAME, INDEX)


def test_the_same_catalogue_differs_in_nothing() -> None:
    assert differences(FULL, tuple(reversed(FULL))) == ()


def test_a_lost_index_and_one_that_is_left_over_are_named_with_their_table() -> None:
    without = (USERS, ID, EMAIL, NAME)
    assert told(FULL, without) == ["index ix_users_email on users is missing"]
    assert told(without, FULL) == ["index ix_users_email on users was not there before"]
    assert [d.what for d in differences(FULL, without)] == ["missing"]


def test_a_changed_definition_is_shown_before_and_after() -> None:
    other = column("email", 2, "varchar(50)")
    [found] = differences((USERS, EMAIL), (USERS, other))
    assert found.what == "changed"
    assert found.text == "column users.email: varchar(50) NOT NULL became varchar(50)"
    [emptied] = told((USERS, EMAIL), (USERS, column("email", 2, "")))
    assert emptied.endswith("became (none)")
    [long] = told((USERS, EMAIL), (USERS, column("email", 2, "x" * 999)))
    assert len(long) < 400


def test_a_lost_table_is_not_also_its_columns_and_indexes() -> None:
    orders = Thing(kind="table", name="orders", definition="permanent")
    both = (*FULL, orders, column("id", 1, table="orders"))
    assert told(both, (orders, column("id", 1, table="orders"))) == ["table users is missing"]


def test_a_lost_schema_is_not_also_its_tables() -> None:
    schema = Thing(kind="schema", name="app", definition="")
    table = Thing(kind="table", name="users", schema="app", definition="permanent")
    assert told((schema, table), ()) == ["schema app is missing"]


def test_a_lost_column_is_not_also_its_index_but_an_index_of_another_is() -> None:
    other = of_users("index", "ix_users_name", "CREATE INDEX ON users (name)")
    trigger = of_users("trigger", "t", "BEFORE UPDATE OF email")
    before = (*FULL, other, trigger)
    assert told(before, (USERS, ID, NAME)) == [
        "column users.email is missing",
        "index ix_users_name on users is missing",
        "trigger t on users is missing",
    ]


def test_a_constraint_is_not_also_the_index_behind_it() -> None:
    unique = of_users("constraint", "uq_email", "UNIQUE (email)")
    backing = of_users("index", "uq_email", "UNIQUE (email)")
    assert told((USERS, unique, backing), (USERS,)) == ["constraint uq_email on users is missing"]


def test_things_that_share_a_name_are_told_apart_by_what_they_are() -> None:
    one, two, three = (of_users("constraint", "", f"CHECK (id > {n})") for n in range(3))
    assert differences((one, two), (two, one)) == ()
    assert told((one, two), (one, three)) == [
        "constraint on users: CHECK (id > 1) became CHECK (id > 2)"
    ]
    assert len(told((one, two), (three,))) == 3


def test_columns_in_another_order_are_told_by_their_places() -> None:
    moved = (USERS, ID, column("name", 2), column("email", 7, "varchar(50) NOT NULL"))
    [found] = differences((USERS, ID, EMAIL, NAME), moved)
    assert (found.what, found.name) == ("moved", "email")
    assert found.text == "column users.email is 3rd, was 2nd"


def test_columns_after_a_lost_one_have_not_moved() -> None:
    assert told((USERS, ID, EMAIL, NAME), (USERS, ID, NAME)) == ["column users.email is missing"]


@pytest.mark.parametrize(("place", "said"), [(1, "1st"), (11, "11th"), (22, "22nd"), (4, "4th")])
def test_places_are_said_as_people_say_them(place: int, said: str) -> None:
    columns = [column(f"c{n:02}", n) for n in range(1, 24)]
    first = columns.pop(0)
    last = (*columns[: place - 1], first, *columns[place - 1 :])
    again = tuple(column(c.name, n, c.definition) for n, c in enumerate(last, start=1))
    start = (column("c01", 30), *columns) if place == 1 else (first, *columns)
    assert any(said in text for text in told(start, again))


def test_objects_without_a_table_are_named_with_their_schema() -> None:
    enum = Thing(kind="enum", name="status", schema="app", definition="open, done")
    assert told((), (enum,)) == ["enum app.status was not there before"]
    of_app = Thing(kind="column", name="id", schema="app", table="t", definition="int", position=1)
    index = Thing(kind="index", name="ix", schema="app", table="t", definition="(x)")
    table = Thing(kind="table", name="t", schema="app", definition="")
    assert told((of_app, index), ()) == [
        "column app.t.id is missing",
        "index ix on app.t is missing",
    ]
    assert told((table,), ()) == ["table app.t is missing"]


def test_a_view_takes_its_columns_with_it() -> None:
    view = Thing(kind="view", name="v", definition="SELECT 1")
    assert told((view, column("x", 1, table="v")), ()) == ["view v is missing"]
