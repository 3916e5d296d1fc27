"""From a finding to a revision that reviews clean, through a real client."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A14")]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is empty, on each of the three."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'database.sqlite').as_posix()}"
    named = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    return request.getfixturevalue(named[request.param])


@pytest.fixture
def notes(
    copy_project: Any,
    to_head: Any,
    database_url: str,
    eyes: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A Flask-Migrate application at its head, with rows, whose models want a NOT NULL column."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    folder = copy_project("flask_notes")
    to_head(folder)
    seen = eyes(database_url)
    seen.write("INSERT INTO users (id, email) VALUES (1, 'a@x')")
    seen.write("INSERT INTO tasks (id, user_id, title) VALUES (1, 1, 'Water the plants')")
    models = folder / "notes" / "models.py"
    wanted = "    priority = db.Column(db.String(10), nullable=False, default='medium')\n    done ="
    models.write_text(models.read_text("utf-8").replace("    done =", wanted), "utf-8")
    return folder


async def test_what_the_review_finds_is_fixed_by_one_call_and_applies(
    notes: Path, near: Any, database_url: str, eyes: Any
) -> None:
    seen = eyes(database_url)
    async with near(notes) as host:
        made = await host.generated("Add priority")
        file = notes / made["path"]
        old = file.read_bytes()
        review = await host.call("review")
        # MariaDB refuses nothing: it makes values up.
        invents = database_url.startswith("mysql")
        assert review["verdict"] == ("NEEDS_CHANGES" if invents else "UNSAFE")
        assert "call `fix`" in review["next_step"]
        shown = await host.call("fix", revision=made["revision"], dry_run=True)
        assert shown["status"] == "shown"
        assert "+" in shown["diff"]
        assert file.read_bytes() == old
        fixed = await host.call("fix", revision=made["revision"])
        assert fixed["status"] == "rewritten"
        assert fixed["diff"] == shown["diff"]
        assert "server_default='medium'" in file.read_text("utf-8")
        assert (notes / fixed["kept"]).read_bytes() == old
        assert (fixed["review"]["verdict"], fixed["review"]["findings"]) == ("SAFE", [])
        assert fixed["review"]["rehearsed"]
        token = (await host.call("confirm", plan_id=review["plan_id"]))["token"]
        assert "PlanStale" in await host.refused("apply", plan_id=review["plan_id"], token=token)
        done = await host.applied(fixed["review"]["plan_id"])
        assert done["verified"]
        assert seen.rows("SELECT priority FROM tasks") == [("medium",)]
        refused = await host.refused("fix", revision=made["revision"])
        assert "NotADraft" in refused
