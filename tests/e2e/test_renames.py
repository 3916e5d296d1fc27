"""What a person calls a rename keeps its data, and what they do not goes, up and back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ElicitResult

pytestmark = [pytest.mark.anyio, pytest.mark.proves("D07", "A09", "C02")]

NAME = "Is full_name the new name of users.name?"
FIELD = "Is deprecated_note the new name of users.deprecated_field?"


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "mariadb":
        return request.getfixturevalue("mariadb_url")
    return f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"


@pytest.fixture
def notes(
    copy_project: Any, to_head: Any, url: str, eyes: Any, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An application at its head, whose models call two columns with values by other names."""
    monkeypatch.setenv("DATABASE_URL", url)
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    names = "INSERT INTO users (id, email, name, deprecated_field) VALUES "
    eyes(url).write(names + "(1, 'a@x', 'Ann', 'old'), (2, 'b@x', 'Bob', NULL)")
    models = folder / "notes" / "models.py"
    text = models.read_text("utf-8").replace("    name = ", "    full_name = ")
    models.write_text(text.replace("deprecated_field", "deprecated_note"), "utf-8")
    return folder


Shown = dict[str, dict[str, Any]]


def says(renames: Mapping[str, bool], seen: Shown) -> Callable[[Mapping[str, Any]], ElicitResult]:
    """Answers the questions by these words, and whatever else is asked with yes."""

    def answer(fields: Mapping[str, Any]) -> ElicitResult:
        seen.update({spec["title"]: dict(spec) for spec in fields.values()})
        content: Any = {
            name: renames.get(spec["title"], True) if spec["type"] == "boolean" else "yes, drop it"
            for name, spec in fields.items()
        }
        return ElicitResult(action="accept", content=content)

    return answer


async def test_each_answer_decides_about_its_own_column(
    notes: Path, near: Any, url: str, eyes: Any
) -> None:
    shown: Shown = {}
    look, files = eyes(url), len(list(notes.rglob("versions/*.py")))
    async with near(notes, answer=says({NAME: True, FIELD: False}, shown)) as host:
        analysis = await host.call("analyze")
        assert {c["id"] for c in analysis["rename_candidates"]} == {
            "users.name -> full_name",
            "users.deprecated_field -> deprecated_note",
        }
        call = {"analysis_id": analysis["analysis_id"], "message": "rename"}
        asked = await host.call("generate", renames=["users.name -> full_name"], **call)
        assert asked["status"] == "needs_confirmation"
        assert len(list(notes.rglob("versions/*.py"))) == files
        given = await host.call("confirm", plan_id=asked["plan_id"])
        assert given["renames"] == [
            "users.name is renamed to full_name with 2 values",
            "users.deprecated_field is dropped with 1 value",
        ]
        made = await host.call("generate", token=given["token"], **call)
        text = (notes / made["path"]).read_text("utf-8")
        assert text.count("new_column_name=") == 2
        review = await host.call("review")
        done = await host.applied(review["plan_id"])
        assert (done["status"], done["verified"]) == ("applied", True), done
        kept = "SELECT full_name, deprecated_note FROM users ORDER BY id"
        assert look.rows(kept) == [("Ann", None), ("Bob", None)]
        undone = await host.applied((await host.call("rollback"))["plan_id"])
        assert undone["status"] == "applied"
        back = "SELECT name, deprecated_field FROM users ORDER BY id"
        assert look.rows(back) == [("Ann", None), ("Bob", None)]
    assert shown[NAME]["type"] == "boolean"
    assert "default" not in shown[NAME]
    assert "No: users.name is dropped with 2 values." in shown[NAME]["description"]
    assert "The assistant asked for this rename." in shown[NAME]["description"]
    assert "same place in the table" in shown[FIELD]["description"]
