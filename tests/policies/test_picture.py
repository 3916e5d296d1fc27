"""The tables before and after, drawn from what was recorded and what the live database has."""

from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.picture import LiveTable, TablePicture, draw, touched

ID = Column(name="id", type="INTEGER", nullable=False)
CODE = Column(name="code", type="VARCHAR(20)")
TASKS = LiveTable(table="tasks", columns=(ID, CODE))


def alter(*changes: Change, column: Column = CODE) -> Operation:
    return Operation(kind="alter_column", table="tasks", column=column, changes=changes)


def marks(picture: TablePicture) -> dict[str | None, str]:
    return {c.after or c.before: c.mark for c in picture.columns}


def test_added_dropped_and_untouched_columns_are_told_apart() -> None:
    notes = Column(name="notes", type="TEXT", nullable=False, server_default="''")
    (picture,) = draw(
        (
            Operation(kind="add_column", table="tasks", column=notes),
            Operation(kind="drop_column", table="tasks", column=CODE),
        ),
        (TASKS,),
    )
    assert (picture.before, picture.after, picture.whole) == ("tasks", "tasks", True)
    assert marks(picture) == {
        "id INTEGER NOT NULL": "same",
        "code VARCHAR(20)": "dropped",
        "notes TEXT NOT NULL DEFAULT ''": "added",
    }


def test_what_is_changed_shows_both_ways() -> None:
    (picture,) = draw(
        (
            alter(
                Change(attribute="type", before=None, after="TEXT"),
                Change(attribute="nullable", before="true", after="false"),
                Change(attribute="server_default", before=None, after="'x'"),
                Change(attribute="name", before="code", after="label"),
                Change(attribute="comment", before=None, after="said"),
            ),
        ),
        (TASKS,),
    )
    changed = picture.columns[1]
    assert (changed.before, changed.after, changed.mark) == (
        "code VARCHAR(20)",
        "label TEXT NOT NULL DEFAULT 'x'",
        "changed",
    )


def test_a_renamed_column_is_found_under_its_new_name() -> None:
    renamed = Column(name="label", type="VARCHAR(20)")
    (picture,) = draw(
        (
            alter(Change(attribute="name", before="code", after="label")),
            Operation(kind="drop_column", table="tasks", column=renamed),
        ),
        (TASKS,),
    )
    assert marks(picture)["code VARCHAR(20)"] == "dropped"


def test_a_new_table_has_no_before_and_a_dropped_one_no_after() -> None:
    made, gone = draw(
        (
            Operation(kind="create_table", table="notes", columns=(ID,)),
            Operation(kind="drop_table", table="tasks"),
        ),
        (TASKS,),
    )
    assert (made.before, made.after, set(marks(made).values())) == (None, "notes", {"added"})
    assert (gone.before, gone.after, set(marks(gone).values())) == ("tasks", None, {"dropped"})


def test_a_renamed_table_stays_one_table() -> None:
    operations = (
        Operation(kind="rename_table", table="tasks", schema="app", name="jobs"),
        Operation(kind="drop_column", table="jobs", schema="app", column=CODE),
    )
    live = LiveTable(table="tasks", schema="app", columns=(ID, CODE))
    (picture,) = draw(operations, (live,))
    assert (picture.before, picture.after) == ("app.tasks", "app.jobs")
    assert list(marks(picture).values()) == ["same", "dropped"]
    assert touched(operations) == (("app", "tasks"),)


def test_a_column_that_comes_and_goes_in_one_plan_is_not_drawn() -> None:
    (picture,) = draw(
        (
            Operation(kind="add_column", table="tasks", column=Column(name="tmp", type="TEXT")),
            Operation(kind="drop_column", table="tasks", column=Column(name="tmp", type="TEXT")),
        ),
        (TASKS,),
    )
    assert set(marks(picture).values()) == {"same"}
    assert len(picture.columns) == 2


def test_a_table_that_could_not_be_read_shows_only_what_the_plan_names() -> None:
    (picture,) = draw((alter(Change(attribute="type", before=None, after="TEXT")),))
    assert not picture.whole
    assert [(c.before, c.after) for c in picture.columns] == [("code VARCHAR(20)", "code TEXT")]


def test_a_dropped_table_that_could_not_be_read_shows_the_columns_it_was_said_to_have() -> None:
    (picture,) = draw((Operation(kind="drop_table", table="tasks", columns=(ID,)),))
    assert marks(picture) == {"id INTEGER NOT NULL": "dropped"}
    assert not picture.whole


def test_drops_in_raw_sql_are_drawn_and_steps_without_columns_are_not() -> None:
    (picture,) = draw(
        (
            Operation(kind="execute", sql="DROP TABLE tasks"),
            Operation(kind="create_index", table="users"),
            Operation(kind="alter_column", table="tasks"),
        ),
        (TASKS,),
    )[:1]
    assert picture.after is None


def test_a_table_made_by_the_plan_is_not_asked_of_the_live_database() -> None:
    operations = (
        Operation(kind="create_table", table="notes", columns=(ID,)),
        Operation(kind="add_column", table="notes", column=CODE),
        Operation(kind="add_column", table="tasks", column=CODE),
    )
    assert touched(operations) == ((None, "tasks"),)
