"""A merged feature that production does not show: from FAIL through two approved plans to PASS."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rulezero_server.cli.commands import cli

pytestmark = pytest.mark.anyio

CANARIES = ("canary-4b1d", "canary-77aa", "staging-canary", "a-person-knows-it")
"""Parts of values in the sample's settings files; no reply, log or record may hold one."""

TITLES = (
    "Environment Gap Report",
    "Schema Impact Analysis",
    "Consolidation Plan",
    "Implementation",
    "Verification & Rollback",
)


@pytest.fixture
def three(copy_project: Any, database_url: str, eyes: Any) -> Path:
    """Three services; production's database is one revision behind, and has a row."""
    folder = copy_project("three_services")
    file = folder / "api" / ".env.production"
    file.write_text(file.read_text("utf-8").replace("@DATABASE@", database_url), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade", "3c51ab90d7e2"],
        cwd=folder / "api",
        env={**os.environ, "DATABASE_URL": database_url, "SECRET_KEY": "x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    eyes(database_url).write("INSERT INTO notes (title) VALUES ('old')")
    return folder


async def checked(host: Any) -> dict[str, Any]:
    """The check's answer, however long it takes."""
    while True:
        result = await host.client.call_tool("check_parity", {})
        if not result.is_error:
            return result.structured_content
        assert "StillRunning" in result.content[0].text, result.content


async def approved(host: Any, plan_id: str) -> dict[str, Any]:
    """confirm and apply, in production."""
    token = (await host.call("confirm", plan_id=plan_id, environment="production"))["token"]
    return await host.call("apply", plan_id=plan_id, token=token, environment="production")


@pytest.mark.proves("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08")
@pytest.mark.proves("B09", "B10", "B11", "B12", "B13", "B14", "B15")
async def test_what_is_merged_and_not_seen_is_found_planned_approved_and_then_passes(
    three: Path, talk: Any, database_url: str, eyes: Any, tmp_path: Path
) -> None:
    said: list[str] = []
    production = three / "api" / ".env.production"
    before = production.read_bytes()
    async with talk(three) as host:
        failed = await checked(host)
        assert failed["verdict"] == "FAIL"
        reasons = "\n".join(failed["reasons"])
        assert "api lacks PINNED_LIMIT" in reasons
        assert "worker lacks WORKER_TOKEN" in reasons
        assert "notes.pinned is missing; revision 8e02d4c7f1a9" in reasons
        assert "smoke test pinned" in reasons
        places = [failed["report"].index(f"## {title}\n") for title in TITLES]
        assert places == sorted(places)
        switch = await host.call("find_switch", name="/notes/pinned")
        assert switch["visible"] is False
        assert [lack.split(" ")[0] for lack in switch["lacks"]] == ["schema", "key", "flag"]

        plan = await host.call("plan_parity", enable=["FEATURE_PINNED"], consolidate=True)
        assert production.read_bytes() == before
        assert plan["environment"] == "production"
        written = await approved(host, plan["plan_id"])
        assert written["status"] == "applied", written
        text = production.read_text("utf-8")
        assert "# How many notes may be pinned\nPINNED_LIMIT=5\nFEATURE_PINNED=true\n" in text
        assert "SECRET_KEY='canary-4b1d-secret'\n" in text
        assert "LOG_LEVEL=warning" in (three / ".env.production").read_text("utf-8")
        assert "LOG_LEVEL=" not in text
        assert "- .env.production" in (three / "compose.yaml").read_text("utf-8")

        still = await checked(host)
        assert still["verdict"] == "FAIL"
        assert any("WORKER_TOKEN" in r and "a person fills in" in r for r in still["reasons"])
        fill_in(three / "worker" / ".env.production", "WORKER_TOKEN", "a-person-knows-it")
        review = await host.call("review", environment="production")
        assert (await approved(host, review["plan_id"]))["status"] == "applied"

        passed = await checked(host)
        assert (passed["verdict"], passed["reasons"]) == ("PASS", []), passed["report"]
        assert passed["report"].startswith("**PASS**")
        back = await host.call("rollback", restore=plan["plan_id"], environment="production")
        assert back["plan_id"]
        trail = await host.call("history", limit=100)
        said += [str(v) for v in (failed, switch, plan, written, still, passed, back, trail)]
        said += host.person.asked
    assert eyes(database_url).rows("SELECT title FROM notes") == [("old",)]
    kept = b"".join(p.read_bytes() for p in (tmp_path / "state").glob("store*"))
    for canary in CANARIES:
        assert not any(canary in text for text in said)
        assert canary.encode() not in kept


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.proves("B01", "B14")
def test_a_pipeline_gets_the_verdict_as_its_exit_status(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    told = CliRunner().invoke(cli, ["parity", "--project", str(three)])
    assert told.exit_code == 1
    assert told.stdout.rstrip().endswith("\nFAIL")
    switch = ["parity", "--project", str(three), "--switch", "FEATURE_PINNED", "--format", "json"]
    found = CliRunner().invoke(cli, switch)
    assert found.exit_code == 1
    assert any(lack.startswith("flag ") for lack in json.loads(found.stdout)["lacks"])
    monkeypatch.setenv("PINNED_LIMIT", "5")
    inside = CliRunner().invoke(cli, ["parity", "--project", str(three), "--running", "production"])
    assert "lacks PINNED_LIMIT" in told.stdout
    assert "lacks PINNED_LIMIT" not in inside.stdout
    nothing = CliRunner().invoke(cli, ["parity", "--project", str(tmp_path / "none")])
    assert nothing.exit_code == 2


def fill_in(file: Path, key: str, value: str) -> None:
    """What a person does with a placeholder."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    found = [line for line in lines if line.startswith(f"{key}=REPLACE_ME")]
    assert len(found) == 1
    file.write_text("".join(lines).replace(found[0], f"{key}={value}\n"), "utf-8")
