"""A file after its edits, and what is said of them."""

from dataclasses import replace

import pytest

from rulezero_policies import words
from rulezero_policies.parity import filewords
from rulezero_policies.parity.changes import (
    PLACEHOLDER,
    FileChange,
    Material,
    Operation,
    OperationKind,
    SettingsFile,
    SettingsPlan,
    edited,
    said,
)
from rulezero_policies.parity.editing import NotEditable
from rulezero_policies.plan import FILES, DatabaseIdentity, Plan, PlannedChange
from rulezero_server.parity.pieces import pieces

pytestmark = pytest.mark.proves("B08")

TEXTS = {
    ".env": "ROOT=1\n",
    "api/.env": "A=1\nSHARED='x y' # why\nFLAG=off\n",
    "api/.env.example": "A=\n# the port\nPORT=80\nSECRET=\nON=\n",
    "deploy/compose.yml": "services:\n  api:\n    env_file: ../api/.env\n",
}
MATERIAL = Material(texts=TEXTS, split=pieces, fill=lambda path, key: f"{PLACEHOLDER}_{path}_{key}")


def after(path: str, *operations: Operation) -> str:
    return edited(FileChange(path=path, operations=operations), MATERIAL)


def test_every_edit_of_a_plan_is_carried_out_from_what_the_files_hold() -> None:
    like = "api/.env.example"
    assert after(
        "api/.env",
        Operation(kind="copy", key="PORT", source=like, like=like),
        Operation(kind="placeholder", key="SECRET", like=like),
        Operation(kind="flag", key="ON", like=like),
        Operation(kind="switch", key="FLAG"),
        Operation(kind="remove", key="SHARED", source=".env"),
    ) == (
        "A=1\n# the port\nPORT=80\n"
        f"SECRET={PLACEHOLDER}_api/.env_SECRET\nON=true\n"
        "# SHARED: in .env now\nFLAG=on\n"
    )
    move = Operation(kind="move", key="SHARED", source="api/.env", like="api/.env")
    assert after(".env", move) == "ROOT=1\nSHARED='x y' # why\n"
    assert after("new/.env", move) == "SHARED='x y' # why\n"


@pytest.mark.proves("B05")
def test_a_compose_file_names_the_root_file_from_where_it_lies() -> None:
    listed = Operation(kind="env_file", source=".env", service="api")
    assert after("deploy/compose.yml", listed) == (
        "services:\n  api:\n    env_file:\n      - ../.env\n      - ../api/.env\n"
    )
    with pytest.raises(NotEditable, match="env_file of web"):
        after("deploy/compose.yml", Operation(kind="env_file", source=".env", service="web"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("copy", "KEY: added, as from has it"),
        ("move", "KEY: moved here from from, byte for byte"),
        ("placeholder", "KEY: added with a placeholder, which a person replaces"),
        ("flag", "KEY: added and switched on (true)"),
        ("switch", "KEY: switched on"),
        ("remove", "KEY: taken out, because it stands in from"),
        ("env_file", "env_file of api: from is read first"),
    ],
)
def test_every_edit_is_said_without_its_value(kind: OperationKind, words: str) -> None:
    assert said(Operation(kind=kind, key="KEY", source="from", service="api")) == words


def file(path: str, before: str | None, after: str | None, *operations: Operation) -> SettingsFile:
    return SettingsFile(path=path, before=before, after=after, operations=operations)


def test_it_is_said_what_happens_to_a_file() -> None:
    on = Operation(kind="switch", key="F")
    assert filewords.edits(file("a", "1", "2", on)) == ("F: switched on",)
    assert filewords.edits(file("a", None, "2", on)) == ("is created", "F: switched on")
    assert filewords.edits(file("a", "1", None)) == ("is removed: it was not there before",)
    assert filewords.edits(file("a", "1", "2")) == ("gets back what it held before",)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({"a": "new", "b": "new"}, "Done and every file holds what was approved: a, b."),
        ({"a": "old", "b": "old"}, "Done. Nothing happened: every file holds what it held (a, b)."),
        ({"a": "new", "b": "old"}, "Part of the plan was applied. Written: a. Not written: b."),
    ],
)
def test_it_is_said_which_files_are_written(states: dict[str, str], words: str) -> None:
    targets = (file("a", "1", "2"), file("b", "1", "2"))
    plan = SettingsPlan(environment="production", targets=targets, backups="/state")
    assert words in filewords.outcome(plan, states, "Done")


@pytest.mark.parametrize("many", [3, 61])
def test_a_person_reads_every_file_and_every_key_before_a_yes(plan: Plan, many: int) -> None:
    changes = tuple(PlannedChange(subject="api/.env", description=f"K{n}: x") for n in range(many))
    asked = replace(plan, kind="files", changes=changes, warnings=("a backup is made",))
    text = words.approval_request(asked)
    assert text == filewords.request(asked)
    assert "- api/.env: K2: x" in text
    assert "- a backup is made" in text
    assert ("… and 1 more" in text) is (many == 61)
    assert text.endswith("Should I write these files? (Reply: yes/no)")


def test_after_the_writing_the_way_back_is_told(plan: Plan) -> None:
    told = filewords.written(plan, "Done", "/state/kept")
    assert told.startswith("Done What they held before is kept in /state/kept.")
    assert f"restore={plan.plan_id!r}" in told
    assert "kept" not in filewords.written(plan, "Done", None)


def test_what_a_files_plan_changes_is_named_in_place_of_a_database() -> None:
    identity = DatabaseIdentity(dialect=FILES, host=None, port=None, name="/p", server_id=None)
    assert identity.label == "no database: settings files below /p"
