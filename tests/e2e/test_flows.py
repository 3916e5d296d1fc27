"""The three example flows, through a real client, in both protocol eras, on two databases."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.proves("A21", "C01", "A20"),
]

HEAD = "2b8e41f6a05c"


@pytest.fixture
def notes(
    copy_project: Any,
    to_head: Any,
    database_url: str,
    eyes: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A Flask-Migrate application at its head, with rows in its tables."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    folder = copy_project("flask_notes")
    to_head(folder)
    seen = eyes(database_url)
    seen.write(
        "INSERT INTO users (id, email, deprecated_field) VALUES (1, 'a@x', 'old'), (2, 'b@x', NULL)"
    )
    seen.write("INSERT INTO tasks (id, user_id, title) VALUES (1, 1, 'Water the plants')")
    return folder


def edit_models(project: Path, old: str, new: str) -> None:
    models = project / "notes" / "models.py"
    text = models.read_text("utf-8")
    assert old in text
    models.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("era", "database_url"), [("legacy", "sqlite"), ("auto", "postgresql")], indirect=True
)
async def test_a_nullable_column_is_safe_from_models_to_rollback(
    notes: Path, near: Any, era: str, database_url: str, eyes: Any
) -> None:
    edit_models(notes, "    starts_at", "    notes = db.Column(db.Text)\n    starts_at")
    seen = eyes(database_url)
    async with near(notes, era) as host:
        analysis = await host.call("analyze", description="Add notes field to events table")
        assert (analysis["risk"], analysis["breaking"]) == ("SAFE", [])
        made = await host.generated("Add notes field to events", analysis)
        assert made["status"] == "written"
        assert (notes / made["path"]).is_file()
        review = await host.call("review")
        assert (review["verdict"], review["risk"], review["findings"]) == ("SAFE", "SAFE", [])
        assert "## Migration Ready for Review" in review["approval_request"]
        assert seen.revision() == HEAD
        done = await host.applied(review["plan_id"])
        assert (done["status"], done["verified"]) == ("applied", True)
        assert seen.revision() == done["current_revision"] == made["revision"]
        assert done["rollback_command"] == f"flask db downgrade {HEAD}"
        assert "notes" in seen.columns("events")
        back = await host.call("rollback")
        undone = await host.applied(back["plan_id"])
        assert (seen.revision(), undone["current_revision"]) == (HEAD, HEAD)
        assert "notes" not in seen.columns("events")
        assert len(host.person.asked) == 2


@pytest.mark.parametrize(
    ("era", "database_url"), [("legacy", "sqlite"), ("auto", "postgresql")], indirect=True
)
async def test_a_not_null_column_needs_its_server_default(
    notes: Path, near: Any, era: str, database_url: str, eyes: Any
) -> None:
    wanted = "    priority = db.Column(db.String(10), nullable=False, {}'medium')\n    done ="
    edit_models(notes, "    done =", wanted.format("default="))
    seen = eyes(database_url)
    async with near(notes, era) as host:
        analysis = await host.call("analyze", description="Add priority field")
        assert analysis["risk"] == "CRITICAL"
        [finding] = analysis["breaking"]
        assert finding["rule"] == "not-null-without-default"
        assert finding["outcome"] == "will_fail"
        assert any("without server_default" in w for w in analysis["warnings"])
        edit_models(notes, "default='medium'", "server_default='medium'")
        made = await host.generated("Add priority field")
        assert "server_default=" in (notes / made["path"]).read_text("utf-8")
        review = await host.call("review")
        assert review["findings"] == []
        done = await host.applied(review["plan_id"])
        assert done["verified"]
        assert seen.rows("SELECT priority FROM tasks") == [("medium",)]


@pytest.mark.proves("A09", "A12", "A13")
@pytest.mark.parametrize(
    ("era", "database_url"), [("legacy", "sqlite"), ("auto", "postgresql")], indirect=True
)
async def test_a_dropped_column_stops_before_generation_and_again_before_the_run(
    notes: Path, near: Any, era: str, database_url: str, eyes: Any
) -> None:
    edit_models(notes, "    deprecated_field = db.Column(db.String(50))\n", "")
    seen = eyes(database_url)
    files = sorted((notes / "migrations" / "versions").iterdir())
    async with near(notes, era) as host:
        analysis = await host.call("analyze", description="Remove deprecated_field from users")
        assert analysis["risk"] == "CRITICAL"
        assert any("permanently delete data" in w for w in analysis["warnings"])
        stopped = await host.call(
            "generate", analysis_id=analysis["analysis_id"], message="drop deprecated_field"
        )
        assert stopped["status"] == "needs_confirmation"
        assert sorted((notes / "migrations" / "versions").iterdir()) == files
        await host.generated("drop deprecated_field", analysis)
        assert "DELETE all data in deprecated_field" in host.person.asked[0]
        assert "Have you backed up the database?" in host.person.asked[0]
        review = await host.call("review")
        assert review["verdict"] == "UNSAFE"
        [finding] = [f for f in review["findings"] if f["rule"] == "drop-column"]
        assert (finding["subject"], finding["outcome"]) == ("users.deprecated_field", "loses_data")
        assert "1" in finding["evidence"]
        done = await host.applied(review["plan_id"])
        assert done["verified"]
        assert "deprecated_field" not in seen.columns("users")
        assert "yes, drop it" in host.person.asked[-1]
        undone = await host.applied((await host.call("rollback"))["plan_id"])
        assert undone["verified"]
        assert "deprecated_field" in seen.columns("users")
