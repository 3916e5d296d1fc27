"""Work that outlasts the call that asked for it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from threading import Event

import anyio
import pytest
from mcp import Client
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from rulezero_server import lasting, telling
from rulezero_server.lasting import Key, Lasting
from rulezero_server.mcp_tools import reported_async
from rulezero_server.telling import Say

pytestmark = [pytest.mark.anyio, pytest.mark.proves("D02")]

Work = Callable[[Say], str]


@asynccontextmanager
async def serving(
    work: Work, *, longest: float = 20.0, open_work: Lasting | None = None
) -> AsyncGenerator[Client]:
    """A server with one tool, which does `work` and waits `longest` seconds for it."""
    server = MCPServer("lasting")
    known = open_work or Lasting(longest)

    @server.tool()
    @reported_async
    async def review(ctx: Context) -> str:
        return await known.told(ctx, Key("review", ()), work)

    async with Client(server) as client:
        yield client


async def test_a_call_that_waited_long_enough_is_told_so_and_the_next_one_has_the_answer() -> None:
    goes_on, begun = Event(), list[str]()

    def work(say: Say) -> str:
        begun.append("begun")
        say("rehearsing: upgrade 3 of 7")
        goes_on.wait(20)
        return "the answer"

    known = Lasting(0.2)
    async with serving(work, open_work=known) as client:
        early = await client.call_tool("review", {})
        assert early.is_error
        assert "StillRunning: `review` is still at work: rehearsing: upgrade 3 of 7" in str(early)
        assert "call `review` again" in str(early)
        assert known.running() == (
            "`review` is still at work: rehearsing: upgrade 3 of 7; call it again for its answer",
        )
        goes_on.set()
        later = await client.call_tool("review", {})
    assert later.structured_content == {"result": "the answer"}
    assert begun == ["begun"], "the second call joined the work"
    assert known.running() == ()


async def test_an_answer_is_given_once_and_the_next_call_begins_anew() -> None:
    begun = list[str]()

    def work(_say: Say) -> str:
        begun.append("begun")
        return str(len(begun))

    async with serving(work) as client:
        first = await client.call_tool("review", {})
        second = await client.call_tool("review", {})
    assert (first.structured_content, second.structured_content) == (
        {"result": "1"},
        {"result": "2"},
    )


async def test_an_answer_that_nobody_fetched_is_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, begun = Event(), list[str]()

    def work(_say: Say) -> str:
        begun.append("begun")
        if len(begun) == 1:
            ended.wait(20)
        return str(len(begun))

    known = Lasting(0.05)
    async with serving(work, open_work=known) as client:
        assert (await client.call_tool("review", {})).is_error
        ended.set()
        with anyio.fail_after(20):
            while known.running():
                await anyio.lowlevel.checkpoint()
        monkeypatch.setattr(lasting, "KEPT", 0.0)
        again = await client.call_tool("review", {})
    assert again.structured_content == {"result": "2"}


async def test_what_is_said_arrives_in_order_and_what_takes_long_is_said_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "BEAT", 0.01)
    heard, enough = list[str](), Event()

    def work(say: Say) -> str:
        say("one")
        say("two")
        return str(enough.wait(20))

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        assert progress == len(heard) + 1
        heard.append(message or "")
        if len(heard) == 4:
            enough.set()

    async with serving(work) as client:
        done = await client.call_tool("review", {}, progress_callback=listen)
    assert done.structured_content == {"result": "True"}
    assert heard[:4] == ["one", "two", "two (0 s)", "two (0 s)"]


async def test_an_error_of_the_work_is_the_error_of_the_call() -> None:
    def work(_say: Say) -> str:
        raise ToolError("it broke")

    async with serving(work) as client:
        done = await client.call_tool("review", {})
    assert done.is_error
    assert "it broke" in str(done.content)


async def test_work_whose_last_call_was_cancelled_ends_with_its_next_word() -> None:
    cancelled, ended, reached = Event(), Event(), list[str]()
    scope = anyio.CancelScope()

    def work(say: Say) -> str:
        try:
            say("begun")
            cancelled.wait(20)
            say("after")
            reached.append("the end")
        finally:
            ended.set()
        return "done"

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message
        scope.cancel()

    known = Lasting()
    async with serving(work, open_work=known) as client:
        with scope:
            await client.call_tool("review", {}, progress_callback=listen)
        with anyio.fail_after(20):
            while known.running():
                await anyio.lowlevel.checkpoint()
        cancelled.set()
        await anyio.to_thread.run_sync(ended.wait, 20)
    assert reached == []
