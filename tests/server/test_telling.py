"""What a client hears while a call lasts."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from rulezero_server import telling
from rulezero_server.app import App
from rulezero_server.server import make_server
from rulezero_server.stores import open_store
from rulezero_server.telling import Say, told

pytestmark = pytest.mark.anyio


class Heard:
    """The notifications of one call."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self.texts: list[str] = []
        self.some = anyio.Event()

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        del total
        self.numbers.append(progress)
        self.texts.append(message or "")
        self.some.set()


@asynccontextmanager
async def serving(
    work: Callable[[Say], str], era: str = "auto", **options: bool
) -> AsyncGenerator[Client]:
    """A server with one tool, which does `work`."""
    server = MCPServer("telling")

    @server.tool()
    async def go(ctx: Context) -> str:
        return await told(ctx, work, **options)

    async with Client(server, mode=era) as client:
        yield client


async def test_a_client_hears_what_a_review_is_doing_while_it_lasts(
    copy_project: Any, to_head: Any, tmp_path: Path
) -> None:
    folder = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    heard = Heard()
    app = App(folder, store=open_store(tmp_path / "state.db"))
    async with Client(make_server(app), mode="legacy") as client:
        done = await client.call_tool("review", {}, progress_callback=heard)
    assert not done.is_error
    assert heard.texts[:2] == [
        "reading the project and its database",
        "reading what 1 revision would do",
    ]
    assert heard.numbers == sorted(set(heard.numbers))


async def test_what_is_said_on_the_thread_arrives_in_order(era: str) -> None:
    def work(say: Say) -> str:
        for number in range(5):
            say(f"step {number}")
        return "done"

    heard = Heard()
    async with serving(work, era) as client:
        done = await client.call_tool("go", {}, progress_callback=heard)
    assert done.structured_content == {"result": "done"}
    assert heard.texts == [f"step {number}" for number in range(5)]
    assert heard.numbers == [1, 2, 3, 4, 5]


async def test_what_takes_long_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "BEAT", 0.01)
    heard, enough = Heard(), Event()

    def work(say: Say) -> str:
        say("waiting")
        return str(enough.wait(20))

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        await heard(progress, total, message)
        if len(heard.texts) == 3:
            enough.set()

    async with serving(work) as client:
        done = await client.call_tool("go", {}, progress_callback=listen)
    assert done.structured_content == {"result": "True"}
    assert heard.texts[:2] == ["waiting", "waiting (0 s)"]


async def test_a_client_that_asked_for_no_progress_gets_the_result_alone() -> None:
    def work(say: Say) -> str:
        say("unheard")
        return "done"

    async with serving(work) as client:
        done = await client.call_tool("go", {})
    assert done.structured_content == {"result": "done"}


async def test_an_error_of_the_work_is_the_error_of_the_call() -> None:
    def work(say: Say) -> str:
        raise ToolError("it broke")

    async with serving(work) as client:
        done = await client.call_tool("go", {})
    assert done.is_error
    assert "it broke" in str(done.content)


@pytest.mark.parametrize("to_the_end", [False, True])
async def test_a_cancelled_call_ends_with_the_next_word_unless_nothing_may_interrupt_it(
    *, to_the_end: bool
) -> None:
    cancelled, reached = Event(), list[str]()
    scope = anyio.CancelScope()

    def work(say: Say) -> str:
        say("begun")
        cancelled.wait(20)
        reached.append("cancelled")
        say("after")
        reached.append("the end")
        return "done"

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message
        scope.cancel()
        cancelled.set()

    async with serving(work, to_the_end=to_the_end) as client:
        with scope:
            await client.call_tool("go", {}, progress_callback=listen)
    assert reached == (["cancelled", "the end"] if to_the_end else ["cancelled"])
