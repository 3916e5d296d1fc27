"""The server as a client sees it: tools, prompt, sizes, and what never leaves it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

pytestmark = pytest.mark.anyio

READERS = {
    *("status", "analyze", "review", "rollback", "get_plan", "history", "purge", "discard"),
    *("check_parity", "plan_parity", "find_switch"),
}
WRITERS = {"generate", "fix", "confirm", "apply"}


@pytest.mark.proves("C01", "A01")
async def test_every_tool_is_titled_typed_and_says_truly_whether_it_writes(
    copy_project: Any, talk: Any, era: str
) -> None:
    async with talk(copy_project("flask_notes"), era) as host:
        tools = {t.name: t for t in (await host.client.list_tools()).tools}
    assert set(tools) == READERS | WRITERS
    for name, tool in tools.items():
        assert tool.title
        assert tool.output_schema
        assert 40 < len(tool.description or "") < 2000
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (name in READERS)
        assert (tool.annotations.destructive_hint is True) == (name == "apply")
    # What only a person may give is no argument: the model cannot pass an answer.
    assert set(tools["confirm"].input_schema["properties"]) == {"plan_id", "environment"}


async def test_the_prompt_carries_the_workflow(copy_project: Any, talk: Any, era: str) -> None:
    async with talk(copy_project("flask_notes"), era) as host:
        prompts = (await host.client.list_prompts()).prompts
        assert {prompt.name for prompt in prompts} == {"migrate", "parity"}
        got = await host.client.get_prompt("migrate", {"description": "add notes"})
        other = await host.client.get_prompt("parity", {"feature": "pinned notes"})
    text = got.messages[0].content.text
    assert "add notes" in text
    steps = [text.index(f". `{tool}`") for tool in ("analyze", "review", "confirm", "apply")]
    assert steps == sorted(steps)
    parity = other.messages[0].content.text
    assert "pinned notes" in parity
    found = [parity.index(f"`{t}`") for t in ("find_switch", "check_parity", "plan_parity")]
    assert found == sorted(found)


async def test_a_read_only_server_offers_nothing_that_asks_or_writes(
    copy_project: Any, tmp_path: Path
) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=[
            *("-m", "rulezero_server", "serve", "--read-only"),
            *("--project", str(copy_project("flask_notes"))),
        ],
        env={**os.environ, "RULEZERO_STATE_DIR": str(tmp_path / "state")},
    )
    async with Client(server) as client:
        assert {t.name for t in (await client.list_tools()).tools} == READERS


@pytest.mark.proves("B15")
async def test_a_password_reaches_no_result_no_question_and_no_file_of_ours(
    copy_project: Any,
    to_head: Any,
    talk: Any,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canary = "c4nary-s3same"
    url = postgres_url.replace("postgres:@", f"postgres:{canary}@")
    assert canary in url
    monkeypatch.setenv("DATABASE_URL", url)
    folder: Path = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    said: list[str] = []
    async with talk(folder) as host:
        said.append(json.dumps(await host.call("status")))
        review = await host.call("review")
        said += [json.dumps(review), json.dumps(await host.applied(review["plan_id"]))]
        said += [json.dumps(await host.call("analyze")), json.dumps(await host.call("history"))]
        for section in ("summary", "sql", "findings", "files", "approval_request", "run"):
            plan = review["plan_id"]
            said.append(json.dumps(await host.call("get_plan", plan_id=plan, section=section)))
        said += host.person.asked
        assert max(map(len, said)) < 8_000
    for text in said:
        assert canary not in text
    for file in (tmp_path / "state").rglob("*"):
        assert not file.is_file() or canary.encode() not in file.read_bytes()
