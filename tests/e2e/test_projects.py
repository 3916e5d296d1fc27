"""Projects of other kinds, through the same client."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.proves("A21", "C01")
async def test_a_plain_alembic_project_goes_the_whole_way_and_back(
    copy_project: Any,
    to_head: Any,
    talk: Any,
    eyes: Any,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    folder: Path = copy_project("alembic_shop")
    to_head(folder)
    models = folder / "shop" / "models.py"
    text = models.read_text("utf-8")
    models.write_text(text.replace("    price =", "    colour = Column(String(20))\n    price ="))
    seen = eyes(database_url)
    async with talk(folder) as host:
        assert (await host.call("status"))["flavour"] == "alembic"
        made = await host.generated("add colour")
        review = await host.call("review")
        done = await host.applied(review["plan_id"])
        assert done["rollback_command"] == "alembic downgrade 4c11a0b7d2e8"
        assert seen.revision() == made["revision"]
        assert "colour" in seen.columns("products")
        plan = await host.call("rollback")
        assert plan["to_revision"] == "4c11a0b7d2e8"
        await host.applied(plan["plan_id"])
        assert "colour" not in seen.columns("products")


@pytest.mark.proves("D01")
async def test_an_app_that_migrates_as_it_starts_is_read_without_a_change_and_the_lines_are_named(
    copy_project: Any, talk: Any
) -> None:
    folder: Path = copy_project("flask_upgrades_on_start")
    before = sorted(p.relative_to(folder) for p in folder.rglob("*"))
    async with talk(folder) as host:
        status = await host.call("status")
        review = await host.call("review")
    source = (folder / "notes" / "__init__.py").read_text("utf-8").splitlines()
    lines = [n for n, text in enumerate(source, 1) if "upgrade()" in text or "create_all()" in text]
    assert len(lines) == len(status["warnings"]) == 2
    for line, warning in zip(sorted(lines), sorted(status["warnings"], key=len), strict=True):
        assert "notes/__init__.py" in warning
        assert any(f"line {n}" in warning for n in lines), line
    assert any("Rule 0 hole" in w for w in review["warnings"])
    assert sorted(p.relative_to(folder) for p in folder.rglob("*")) == before


@pytest.mark.proves("C04")
def test_the_scripted_client_asks_at_the_terminal_and_applies(
    copy_project: Any, to_head: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eyes: Any
) -> None:
    url = f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    models = folder / "notes" / "models.py"
    text = models.read_text("utf-8")
    models.write_text(
        text.replace("    starts_at", "    place = db.Column(db.Text)\n    starts_at")
    )
    script = Path(__file__).parents[2] / "examples" / "scripted_client.py"
    command = [sys.executable, str(script), "--project", str(folder), "add place"]

    def answered(words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, input=words, capture_output=True, text=True, timeout=120, check=False
        )

    said_no = answered("no\n")
    assert "Should I apply this migration?" in said_no.stdout
    assert "Declined" in said_no.stderr
    assert "place" not in eyes(url).columns("events")
    for made in (folder / "migrations" / "versions").glob("*add_place*"):
        made.unlink()
    shutil.rmtree(folder / "migrations" / "versions" / "__pycache__", ignore_errors=True)
    said_yes = answered("yes\n")
    assert "Migration applied successfully." in said_yes.stdout, said_yes.stderr
    assert "place" in eyes(url).columns("events")


@pytest.mark.proves("A07", "A18")
async def test_mariadb_goes_the_whole_way_and_invented_values_are_foretold(
    copy_project: Any,
    to_head: Any,
    talk: Any,
    eyes: Any,
    mariadb_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", mariadb_url)
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    seen = eyes(mariadb_url)
    seen.write("INSERT INTO users (id, email) VALUES (1, 'a@x')")
    models = folder / "notes" / "models.py"
    text = models.read_text("utf-8")
    models.write_text(
        text.replace("    name =", "    score = db.Column(db.Integer, nullable=False)\n    name =")
    )
    async with talk(folder) as host:
        status = await host.call("status")
        assert status["database"]["dialect"] in {"mysql", "mariadb"}
        analysis = await host.call("analyze", description="add score")
        assert [f["rule"] for f in analysis["breaking"]] == ["mysql-implicit-default"]
        await host.generated("add score", analysis)
        done = await host.applied((await host.call("review"))["plan_id"])
        assert done["verified"]
        assert seen.rows("SELECT score FROM users") == [(0,)]
        undone = await host.applied((await host.call("rollback"))["plan_id"])
        assert undone["verified"]
        assert "score" not in seen.columns("users")
