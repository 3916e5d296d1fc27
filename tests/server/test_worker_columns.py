"""The live columns, for the picture of what a plan changes."""

from collections.abc import Callable
from pathlib import Path

from rulezero_policies.operations import Column
from rulezero_server.project import WorkerProject


def test_live_columns_are_read_as_the_database_has_them(notes: Path) -> None:
    (tasks,) = WorkerProject.open(notes).columns(((None, "tasks"),))
    assert (tasks.table, tasks.schema) == ("tasks", None)
    assert [c.name for c in tasks.columns] == ["id", "user_id", "title", "done"]
    title = tasks.columns[2]
    assert title == Column(name="title", type="VARCHAR(200)", nullable=False)
    assert tasks.columns[3].server_default


def test_a_table_that_is_not_there_is_left_out(notes: Path) -> None:
    project = WorkerProject.open(notes)
    found = project.columns(((None, "nothing"), ("nowhere", "tasks"), (None, "events")))
    assert [table.table for table in found] == ["events"]


def test_reading_columns_changes_nothing(
    notes: Path, database_url: str, snapshot: Callable[[str], object]
) -> None:
    before = snapshot(database_url)
    WorkerProject.open(notes).columns(((None, "tasks"), (None, "nothing")))
    assert snapshot(database_url) == before
